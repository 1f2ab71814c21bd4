import { css, html, type TemplateResult } from "lit";
import { moreInfo } from "../../element";
import type { HomeAssistant } from "../../ha/types";
import { icon } from "../../icon";
import type { Home } from "../../model";
import { textsOf } from "../../texts";
import { GLYPHS } from "./glyphs";
import type { Mark } from "./marks";
import { words } from "./words";

/** The list shows the newest ones. */
const MOST = 100;

export const listStyles = css`
  .list {
    margin: 8px 0 0; padding: 0; list-style: none; max-height: 320px; overflow: auto; display: grid; grid-template-columns: auto 20px 1fr;
    column-gap: 12px; border-block-start: 1px solid var(--pvlm-line);
  }
  .list li + li { border-block-start: 1px solid var(--pvlm-line); }
  .list li, .list button { display: grid; grid-column: 1 / -1; grid-template-columns: subgrid; }
  .list button {
    align-items: start; min-height: 40px; padding: 10px 0; text-align: start; line-height: 20px;
  }
  .list button:focus-visible { outline-offset: -2px; }
  .list .why { color: var(--pvlm-soft); }
  .list .number { color: var(--pvlm-soft); }
  .list .fault svg { color: var(--pvlm-bad); }
  .none { margin: 8px 0 0; color: var(--pvlm-soft); }
`;

/** All marks in words, the newest first. */
export function markList(hass: HomeAssistant, home: Home, marks: readonly Mark[]): TemplateResult {
  const text = textsOf(hass.language);
  if (marks.length === 0) return html`<p class="none">${text("timeline.none")}</p>`;
  const newest = [...marks].sort((a, b) => b.time - a.time).slice(0, MOST);
  return html`<ul class="list" aria-label=${text("timeline.decisions")}>
    ${newest.map((mark) => {
      const told = words(hass, home, mark);
      return html`<li data-mark-row=${mark.kind}>
          <button @click=${(event: Event) => event.currentTarget && moreInfo(event.currentTarget, mark.entityId)}>
            <span class="number">${told.time}</span>
            <span class=${mark.kind}>${icon(GLYPHS[mark.kind], 20)}</span>
            <span>${told.who}: ${told.what}${told.why ? html`<br /><span class="why">${told.why}</span>` : ""}</span>
          </button>
        </li>`;
    })}
  </ul>`;
}
