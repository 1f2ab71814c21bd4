import { css } from "lit";

/** Colours and sizes that all elements share; every colour comes from the user's theme. */
export const tokens = css`
  :host {
    --pvlm-pv: var(--energy-solar-color);
    --pvlm-grid: var(--energy-grid-consumption-color);
    --pvlm-export: var(--energy-grid-return-color);
    --pvlm-battery: var(--energy-battery-out-color);
    --pvlm-house: var(--secondary-text-color);
    --pvlm-car: var(--primary-color);
    --pvlm-line: var(--divider-color);
    --pvlm-text: var(--primary-text-color);
    --pvlm-soft: var(--secondary-text-color);
    --pvlm-bad: var(--error-color);
    --pvlm-warn: var(--warning-color);
    --pvlm-paper: var(--ha-card-background, var(--card-background-color));
    /* What is under the pointer or set apart, and what a bar or a button lies on. */
    --pvlm-faint: color-mix(in srgb, var(--pvlm-text) 6%, transparent);
    --pvlm-track: color-mix(in srgb, var(--pvlm-text) 8%, transparent);
    --pvlm-gap: 16px;
    display: block;
    /* As its texts are, also in a Home Assistant that is read from right to left. */
    direction: ltr;
    color: var(--pvlm-text);
  }
  * { box-sizing: border-box; }
  .number { font-variant-numeric: tabular-nums; white-space: nowrap; }
  .visually-hidden {
    position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
  }
  button { padding: 0; border: 0; background: none; font: inherit; color: inherit; cursor: pointer; }
  a:focus-visible, button:focus-visible, [tabindex]:focus-visible, input:focus-visible, select:focus-visible {
    outline: 2px solid var(--pvlm-car); outline-offset: 2px;
  }
  @media (prefers-reduced-motion: reduce) {
    * { animation: none !important; transition: none !important; }
  }
`;
