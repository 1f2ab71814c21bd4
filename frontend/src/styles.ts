import { css } from "lit";

/** Colours and sizes that all elements share; every colour comes from the user's theme. */
export const tokens = css`
  :host {
    --pvlm-pv: var(--energy-solar-color, #ff9800);
    --pvlm-grid: var(--energy-grid-consumption-color, #488fc2);
    --pvlm-export: var(--energy-grid-return-color, #8353d1);
    --pvlm-battery: var(--energy-battery-out-color, #4db6ac);
    --pvlm-house: var(--secondary-text-color, #5e5e5e);
    --pvlm-car: var(--primary-color, #009ac7);
    --pvlm-line: var(--divider-color, #e0e0e0);
    --pvlm-text: var(--primary-text-color, #141414);
    --pvlm-soft: var(--secondary-text-color, #5e5e5e);
    --pvlm-bad: var(--error-color, #db4437);
    --pvlm-warn: var(--warning-color, #ffa600);
    --pvlm-gap: 16px;
    display: block;
    color: var(--pvlm-text);
  }
  * { box-sizing: border-box; }
  .number { font-variant-numeric: tabular-nums; white-space: nowrap; }
  .visually-hidden {
    position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
  }
  button { font: inherit; color: inherit; cursor: pointer; }
  button:focus-visible, [tabindex]:focus-visible, input:focus-visible, select:focus-visible {
    outline: 2px solid var(--primary-color, #009ac7); outline-offset: 2px;
  }
  @media (prefers-reduced-motion: reduce) {
    * { animation: none !important; transition: none !important; }
  }
`;
