import { css } from "lit";

/** The card is the container: what stands side by side depends on its own width, not on the screen's. */
export const layout = css`
  ha-card {
    display: flex; flex-direction: column; gap: 12px; padding: var(--pvlm-gap); container-type: inline-size; overflow: hidden;
  }
  .hint { margin: 0; font-size: 13px; line-height: 20px; color: var(--pvlm-soft); }
  .body { display: grid; gap: 16px; min-width: 0; }
  .body.old { filter: grayscale(1); }
  .site { display: grid; gap: 16px 32px; min-width: 0; align-items: start; }
  .site > * { min-width: 0; }
  .lanes {
    display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); gap: 0 32px; align-items: start;
  }
  .lanes > * { min-width: 0; border-top: 1px solid var(--pvlm-line); }
  .lanes > :only-child { grid-column: 1 / -1; }
  /* Home Assistant lays out a view twice before it is right: nothing is worth to be seen until then. */
  ha-card[aria-busy] > * { animation: appear 0.2s step-end; }
  @keyframes appear { from { visibility: hidden; } }
  .bone { border-radius: 12px; background: var(--pvlm-faint); }
  .bone.modes { flex: 1 1 280px; max-width: 480px; height: 60px; }
  .bone.flow { height: 372px; }
  .bone.circuits { height: 136px; }
  .bone.lane { height: 308px; margin: 12px 0; }
  @container (max-width: 479px) { .bone.lane { height: 328px; } }
  .bone.row { height: 66px; margin: 8px 0; }
  /* A lane has room for a row in one line. */
  @container (480px <= width <= 711px) or (992px <= width <= 1083px) { .bone.row { height: 48px; } }
  @container (min-width: 800px) {
    .site.both pv-load-manager-circuits, .site.both .bone.circuits { align-self: center; }
    .bone.flow { height: 412px; }
    .bone.lane { height: 307px; }
    .site.both, .body:has(> .site + .lanes > :only-child) { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
    /* A charger alone stands beside the flow. */
    .body:has(> .site + .lanes > :only-child) {
      grid-template-rows: auto 1fr; column-gap: 32px;
      .site { display: contents; }
      .site > :first-child { grid-row: span 2; }
    }
  }
`;
