import { css } from "lit";

/** A heading and a bar for each phase; the numbers beside the bars have a column of fixed width, so that nothing moves. */
export const circuitStyles = css`
  :host { container-type: inline-size; contain: layout inline-size style; }
  ul { list-style: none; margin: 0; padding: 0; }
  li { break-inside: avoid; padding: 4px 0; padding-inline-start: calc(var(--depth, 0) * 16px); }
  .legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 0 0 8px; font-size: 12px; line-height: 16px; color: var(--pvlm-soft); }
  .legend span { display: inline-flex; align-items: center; gap: 6px; }
  .legend i { width: 14px; height: 10px; border-radius: 2px; position: static; display: inline-block; }
  li.folded { padding-block: 0; }
  .head { display: flex; flex-wrap: wrap; align-items: center; gap: 0 8px; min-height: 28px; width: 100%; }
  .head .name { font-weight: 500; flex: 1 1 auto; max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
  .note {
    display: flex; gap: 4px; align-items: center; font-size: 12px; line-height: 16px; color: var(--pvlm-soft);
  }
  .note svg { color: var(--pvlm-warn); flex: none; }
  .note.bad svg { color: var(--pvlm-bad); }
  .note.bad, .note.warn { color: var(--pvlm-text); }
  button { text-align: start; border-radius: 8px; width: 100%; display: block; }
  button.head { display: flex; flex-wrap: nowrap; min-height: 40px; }
  button.head .name, button.head .note span { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  button.head .name { flex: 1 1 40%; }
  button.head .note { flex: 0 1 auto; min-width: 16px; }
  button.head .chevron { flex: none; transition: transform 0.15s; display: flex; color: var(--pvlm-soft); }
  button.head[aria-expanded="true"] .chevron { transform: rotate(90deg); }
  button.head .mini { flex: none; width: 64px; }
  button.head .percent { flex: none; width: 5ch; text-align: end; }
  button.head:hover, button.phases:hover { background: var(--pvlm-track); }
  .phases { padding: 2px 0; min-height: 40px; }
  .phase { position: relative; display: grid; grid-template-columns: 24px minmax(0, 1fr) 76px; gap: 8px; align-items: center; height: 24px; font-size: 12px; }
  .phase .line { color: var(--pvlm-soft); }
  .phase .number { text-align: end; }
  .phase .limit { color: var(--pvlm-soft); }
  .bar { display: block; position: relative; height: 14px; border-radius: 4px; overflow: hidden; background: var(--pvlm-track); contain: strict; container: bar / inline-size; }
  .mini .bar { height: 8px; }
  i { position: absolute; inset-block: 0; }
  i.house { background: color-mix(in srgb, var(--pvlm-house) 75%, transparent); }
  i.chargers { background: var(--pvlm-car); }
  i.spare {
    background: repeating-linear-gradient(135deg, var(--pvlm-car) 0 2px, transparent 2px 5px);
    box-shadow: inset 0 0 0 1px var(--pvlm-car);
  }
  i.free { background: color-mix(in srgb, var(--success-color) 26%, transparent); }
  i.mark { width: 2px; margin-left: -2px; background: var(--pvlm-text); }
  .bar em {
    position: absolute; inset-block: 0; inset-inline-end: 6px; line-height: 14px; font-size: 11px; font-style: normal; color: var(--pvlm-text);
  }
  /* As wide as the text in half of it. */
  @container bar (max-width: 209px) { em { display: none; } }
  @container (max-width: 479px) {
    button.head .note span { position: absolute; width: 1px; height: 1px; clip-path: inset(50%); }
    button.head .note { flex: none; position: relative; }
  }
  @container (min-width: 640px) {
    .many { columns: 2; column-gap: 32px; }
    /* What hangs on a circuit stands side by side right below it. */
    .many > li.feeding { column-span: all; }
  }
`;
