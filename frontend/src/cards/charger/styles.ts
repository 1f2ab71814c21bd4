import { css } from "lit";

/** Buttons that carry something out, as calm as those of Home Assistant's cards. */
export const buttons = css`
  .action {
    display: inline-flex; align-items: center; justify-content: center; gap: 6px; min-height: 40px; padding: 0 14px;
    border: 1px solid var(--pvlm-line); border-radius: 20px; color: var(--pvlm-text);
    font-size: 13px; font-weight: 500; text-decoration: none; white-space: nowrap;
  }
  .action:hover:not(:disabled) { background: var(--pvlm-faint); }
  .action:disabled { cursor: default; color: var(--pvlm-soft); }
  .strong { border-color: var(--pvlm-car); background: color-mix(in srgb, var(--pvlm-car) 16%, transparent); }
  .strong:hover:not(:disabled) { background: color-mix(in srgb, var(--pvlm-car) 28%, transparent); }
`;

/** A lane: a column that never changes its height for a figure. */
export const lane = css`
  :host { container-type: inline-size; }
  .lane { display: grid; gap: 12px; padding: 12px 0; min-width: 0; }
  .head { display: flex; align-items: center; gap: 12px; min-height: 44px; min-width: 0; }
  .sign {
    flex: none; display: grid; place-items: center; width: 40px; height: 40px; border-radius: 50%; color: var(--pvlm-soft);
    background: var(--pvlm-track);
  }
  .charging .sign { color: var(--pvlm-car); background: color-mix(in srgb, var(--pvlm-car) 18%, transparent); }
  .who { flex: 1 1 auto; min-width: 0; }
  h3 { margin: 0; font-size: 16px; font-weight: 500; line-height: 22px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .state { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 8px; font-size: 13px; line-height: 20px; color: var(--pvlm-soft); }
  .phases { display: inline-flex; gap: 3px; }
  .phase {
    padding: 0 3px; border: 1px solid var(--pvlm-line); border-radius: 4px; font-size: 10px; line-height: 14px;
    color: var(--pvlm-soft);
  }
  .phase.used { border-color: var(--pvlm-car); color: var(--pvlm-text); background: color-mix(in srgb, var(--pvlm-car) 22%, transparent); }
  .unlive { padding: 0 6px; border: 1px dashed var(--pvlm-soft); border-radius: 8px; font-size: 11px; line-height: 16px; }
  .figure { display: inline; min-width: 40px; padding: 10px 4px; margin: -10px -4px; border-radius: 8px; }
  button.figure:hover { text-decoration: underline; text-underline-offset: 3px; }
  .power { font-size: 20px; line-height: 28px; text-align: end; flex: none; min-width: 5em; }
  .bar {
    position: relative; height: 12px; border-radius: 6px; overflow: hidden;
    background: var(--pvlm-track);
  }
  .bar > * { position: absolute; inset: 0; transform-origin: left; transition: transform 0.5s steps(4); }
  .allowed { background: color-mix(in srgb, var(--pvlm-car) 34%, transparent); }
  .drawn { background: var(--pvlm-car); }
  .scale { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 12px; margin-top: 4px; font-size: 13px; line-height: 20px; }
  .soft { color: var(--pvlm-soft); }
  .reason { min-height: 40px; font-size: 14px; line-height: 20px; overflow-wrap: anywhere; }
  pv-load-manager-countdown { font-variant-numeric: tabular-nums; }
  .holds { margin-top: 4px; font-size: 12px; line-height: 16px; color: var(--pvlm-soft); }
  .foot { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; min-height: 40px; }
  .session { display: flex; align-items: center; gap: 10px; flex: 0 1 auto; font-size: 14px; line-height: 20px; }
  .ring { flex: none; transform: rotate(-90deg); }
  .ring circle { fill: none; stroke-width: 5; }
  .ring .all { stroke: color-mix(in srgb, var(--pvlm-text) 12%, transparent); }
  .ring .solar { stroke: var(--pvlm-pv); }
  pv-load-manager-override { flex: 1 1 150px; min-width: 0; }
  pv-load-manager-override.active, pv-load-manager-override[open] { flex-basis: 100%; }
  .toggle {
    display: grid; place-items: center; width: 40px; height: 40px; border-radius: 50%;
  }
  .toggle:hover { background: var(--pvlm-track); }

  .row { display: grid; grid-template-columns: minmax(0, 1fr) auto; align-items: center; gap: 4px 8px; min-height: 64px; padding: 6px 0; }
  .expander {
    display: grid; grid-template-columns: 40px minmax(0, 1fr); align-items: center; gap: 0 12px; min-height: 48px; padding: 4px;
    margin: -4px 0 -4px -4px; border-radius: 12px; text-align: start;
  }
  .expander:hover { background: var(--pvlm-faint); }
  .line { display: flex; align-items: baseline; gap: 8px; }
  .name, .why { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; line-height: 20px; }
  .name { flex: 1 1 auto; font-size: 15px; font-weight: 500; }
  .why { font-size: 13px; color: var(--pvlm-soft); }
  .row .bar { height: 6px; margin-top: 4px; }
  .numbers { font-size: 13px; }
  .watts { display: none; }
  .row pv-load-manager-modes { width: 124px; }
  @container (max-width: 259px) {
    .head { flex-wrap: wrap; }
    .who { flex-basis: calc(100% - 52px); }
    .power { margin-inline-start: 52px; text-align: start; }
  }
  @container (max-width: 330px) {
    .row { grid-template-columns: minmax(0, 1fr); }
    .row pv-load-manager-modes { width: auto; margin-inline-start: 52px; }
  }
  /* Where there is little room, a reason has three lines as a rule. */
  @container (max-width: 479px) { .reason { min-height: 60px; } }
  /* Where there is little room, the reason goes on below the menu. */
  @container (min-width: 331px) and (max-width: 479px) {
    .row { position: relative; grid-template-columns: minmax(0, 1fr); }
    .row pv-load-manager-modes { position: absolute; inset-inline-end: 0; top: 6px; }
    .column { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 8px; }
    .line { display: contents; }
    .name { grid-column: 1 / -1; line-height: 40px; padding-inline-end: 128px; }
    .why { grid-area: 2 / 1; }
    .numbers { grid-area: 2 / 2; line-height: 20px; }
    .row .bar { grid-column: 1 / -1; }
    .expander { align-items: start; margin-inline-end: -4px; }
  }
  @container (min-width: 480px) {
    .watts { display: inline; }
    .row { gap: 4px 16px; }
    .row pv-load-manager-modes { width: 180px; }
  }
`;
