import {
  mdiAlertCircle,
  mdiArrowCollapseUp,
  mdiClockOutline,
  mdiFlash,
  mdiPower,
  mdiSleep,
  mdiTimerSand,
} from "@mdi/js";
import { css, html, nothing, type TemplateResult } from "lit";
import type { HassEntity, HomeAssistant } from "../../ha/types";
import { icon } from "../../icon";
import type { Home } from "../../model";
import { type Text, textsOf } from "../../texts";

/** By state of the site. */
const ICONS: Record<string, string> = {
  off: mdiPower,
  starting: mdiTimerSand,
  idle: mdiSleep,
  waiting: mdiClockOutline,
  charging: mdiFlash,
  limited: mdiArrowCollapseUp,
  fault: mdiAlertCircle,
};

/** The title, what the site does in words, and the mode of the whole site. */
export function head(
  hass: HomeAssistant,
  home: Home,
  title: string,
  events: { status: (entity: HassEntity) => void; failed: (event: CustomEvent) => void },
): TemplateResult {
  const text = textsOf(hass.language);
  const status = hass.states[home.manager?.entities["sensor.state"] ?? ""];
  const mode = home.manager?.entities["select.charge_mode"];
  return html`<header>
    <div class="titles">
      <h2>${title}</h2>
      ${status === undefined ? nothing : state(hass, home, status, text, events.status)}
    </div>
    ${
      mode === undefined || hass.states[mode] === undefined
        ? nothing
        : html`<pv-load-manager-modes class="follows" .hass=${hass} .entity=${mode} .name=${title}
            @pvlm-failure=${events.failed}></pv-load-manager-modes>`
    }
  </header>`;
}

function state(
  hass: HomeAssistant,
  home: Home,
  status: HassEntity,
  text: Text,
  opened: (entity: HassEntity) => void,
): TemplateResult {
  const dimmed = hass.states[home.manager?.entities["binary_sensor.dimmed"] ?? ""]?.state === "on";
  return html`<button type="button" class="status ${status.state}" data-part="status" @click=${() => opened(status)}>
    ${icon(ICONS[status.state] ?? mdiAlertCircle, 18)}
    <span>${hass.formatEntityState(status)}${dimmed ? html` · ${text("site.dimmed")}` : nothing}</span>
  </button>`;
}

export const headStyles = css`
  header { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 24px; min-height: 56px; }
  .titles { flex: 1 1 180px; min-width: 0; }
  h2 {
    margin: 0; font-size: var(--ha-font-size-xl); font-weight: var(--ha-font-weight-medium); line-height: 28px;
    overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  }
  .status {
    display: inline-flex; align-items: center; gap: 6px; min-height: 40px; margin: -6px -8px; padding: 0 8px;
    border-radius: 8px; font-size: 14px; line-height: 20px; color: var(--pvlm-soft); text-align: start;
  }
  .status:hover { background: var(--pvlm-faint); }
  .status svg { flex: none; }
  .status.charging svg { color: var(--pvlm-car); }
  .status.fault svg { color: var(--pvlm-bad); }
  .status.limited svg { color: var(--pvlm-warn); }
  header pv-load-manager-modes { flex: 1 1 280px; max-width: 480px; min-width: 0; container-type: inline-size; }
  @container (max-width: 559px) { header pv-load-manager-modes, header .bone.modes { max-width: none; } }
`;
