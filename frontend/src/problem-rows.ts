import { mdiAlert, mdiAlertCircle, mdiInformation } from "@mdi/js";
import { css, html, nothing, type TemplateResult } from "lit";
import type { Failure } from "./actions";
import { icon } from "./icon";
import type { Problem } from "./problems";

const ICONS: Record<Problem["weight"], string> = { error: mdiAlertCircle, warning: mdiAlert, info: mdiInformation };

/** A problem of the site, or of the card that shows it. */
type Row = Omit<Problem, "kind"> & { kind: string };

/** What is wrong and how it is mended, a row each. */
export function problemRows(problems: readonly Row[]): TemplateResult | typeof nothing {
  if (problems.length === 0) return nothing;
  return html`<div class="problems" role="status">
    ${problems.map(
      ({ kind, weight, what, mend, link }) => html`<div class="problem ${weight}" data-problem=${kind}>
        ${icon(ICONS[weight])}
        <p>${what}<span class="mend">${mend}</span></p>
        ${link === undefined ? nothing : html`<a class="action" href=${link.path}>${link.label}</a>`}
      </div>`,
    )}
  </div>`;
}

/** Why what was tried last was not carried out. */
export function failureRow({ kind, text }: Failure): TemplateResult | typeof nothing {
  return problemRows([{ kind, weight: "error", what: text, mend: "" }]);
}

export const problemStyles = css`
  .problems { display: grid; gap: 8px; }
  .problem {
    --pvlm-weight: var(--pvlm-warn);
    display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; padding: 10px 12px; border-radius: 12px;
    background: color-mix(in srgb, var(--pvlm-weight) 12%, transparent); font-size: 14px; line-height: 20px;
  }
  .problem.error { --pvlm-weight: var(--pvlm-bad); }
  .problem.info { --pvlm-weight: var(--info-color); }
  .problem > svg { flex: none; align-self: flex-start; color: var(--pvlm-weight); }
  .problem p { flex: 1 1 220px; margin: 0; overflow-wrap: anywhere; }
  .problem .mend { display: block; font-size: 13px; }
`;
