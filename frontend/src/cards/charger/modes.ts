import { mdiFlash, mdiHomeLightningBoltOutline, mdiPower, mdiSolarPower, mdiWhiteBalanceSunny } from "@mdi/js";
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { act, tellFailure } from "../../actions";
import { HassElement } from "../../element";
import type { HassEntity, HomeAssistant } from "../../ha/types";
import { icon } from "../../icon";
import { tokens } from "../../styles";

/** In the order in which they are shown: from what is usual to what takes most. */
const MODES = ["follow_site", "off", "pv", "min_pv", "fast"] as const;
export type ModeName = (typeof MODES)[number];

const ICONS: Record<ModeName, string> = {
  follow_site: mdiHomeLightningBoltOutline,
  off: mdiPower,
  pv: mdiWhiteBalanceSunny,
  min_pv: mdiSolarPower,
  fast: mdiFlash,
};

/** How long the state may take to follow a mode that was accepted, in ms. */
const FOLLOWS = 8_000;

/** The modes that a select offers now, in our order. */
export function offered(entity: HassEntity | undefined): ModeName[] {
  const options = entity?.attributes.options;
  return Array.isArray(options) ? MODES.filter((mode) => options.includes(mode)) : [];
}

const siteModes = new WeakMap<HomeAssistant["entities"], string | null>();

/** The select of the site's mode, found in the registry; undefined where it is disabled or there is none. */
export function siteModeEntity({ entities }: Pick<HomeAssistant, "entities">): string | undefined {
  let found = siteModes.get(entities);
  if (found === undefined) {
    const entry = Object.values(entities).find(
      (item) => item?.platform === "pv_load_manager" && item.translation_key === "site_charge_mode",
    );
    found = entry?.entity_id ?? null;
    siteModes.set(entities, found);
  }
  return found ?? undefined;
}

/** The mode of one charger, as buttons or as a menu. Shows a choice at once and takes it back where it is refused. */
export class Modes extends HassElement {
  static override properties: PropertyDeclarations = {
    ...HassElement.properties,
    entity: {},
    name: {},
    menu: { type: Boolean },
  };
  declare entity: string;
  /** Of the charger. */
  declare name: string;
  declare menu: boolean;
  private pending: ModeName | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  static override styles = [
    tokens,
    css`
      .modes {
        display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: 2px; padding: 2px; border-radius: 12px;
        background: var(--pvlm-track);
      }
      button {
        display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 2px; min-height: 56px;
        min-width: 0; padding: 6px 2px; border-radius: 10px; font-size: 12px; line-height: 14px;
        text-align: center; overflow-wrap: anywhere; hyphens: auto;
      }
      button:hover:not(:disabled) { background: var(--pvlm-faint); }
      button[aria-pressed="true"] {
        background: var(--card-background-color); font-weight: 500;
        box-shadow: inset 0 0 0 2px var(--pvlm-car);
      }
      button[aria-pressed="true"] .sign { color: var(--pvlm-car); }
      button:disabled, select:disabled { cursor: default; color: var(--pvlm-soft); }
      .sign { display: grid; place-items: center; width: 20px; height: 20px; }
      .busy { border: 2px solid currentColor; border-right-color: transparent; border-radius: 50%; animation: turn 1s linear infinite; }
      @keyframes turn { to { transform: rotate(1turn); } }
      .meaning { display: block; color: var(--pvlm-soft); font-weight: 400; font-size: 11px; }
      @container (max-width: 229px) {
        .modes:has(:nth-child(5)) { grid-auto-flow: row; grid-template-columns: repeat(3, minmax(0, 1fr)); }
      }
      @container (min-width: 560px) {
        button { flex-direction: row; gap: 8px; min-height: 44px; padding: 4px 8px; text-align: start; font-size: 13px; }
        .meaning { font-size: 12px; }
      }
      select {
        width: 100%; min-height: 40px; padding: 0 4px; border: 1px solid var(--pvlm-line); border-radius: 10px;
        font: inherit; font-size: 12px; color: inherit; background: var(--card-background-color); text-overflow: ellipsis;
      }
    `,
  ];

  constructor() {
    super();
    this.menu = false;
    this.name = "";
  }

  protected override watched(): readonly (string | undefined)[] {
    return [this.entity, this.hass && siteModeEntity(this.hass)];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.settle();
  }

  protected override willUpdate(): void {
    if (this.pending !== undefined && this.state(this.entity)?.state === this.pending) this.settle();
  }

  override render(): TemplateResult {
    const entity = this.state(this.entity);
    const now = this.pending ?? entity?.state;
    const modes = offered(entity);
    // While nobody can say what is offered there is still something to look at, in the same place.
    const shown = modes.length > 0 ? modes : MODES;
    const disabled = modes.length === 0 || entity?.state === "unavailable";
    const label = this.text("mode.of", { name: this.name });
    if (this.menu) {
      return html`<select aria-label=${label} aria-busy=${this.pending !== undefined} ?disabled=${disabled} @change=${this.picked}>
        ${shown.includes(now as ModeName) ? nothing : html`<option value="" selected>–</option>`}
        ${shown.map(
          (mode) => html`<option value=${mode} data-mode=${mode} ?selected=${mode === now} .selected=${mode === now}>
            ${this.short(mode)}</option>`,
        )}
      </select>`;
    }
    return html`<div class="modes" role="group" aria-label=${label}>
      ${shown.map((mode) => {
        const meaning = mode === "follow_site" ? this.siteMode() : undefined;
        return html`<button type="button" data-mode=${mode} aria-pressed=${mode === now} aria-busy=${mode === this.pending}
          ?disabled=${disabled} @click=${() => this.choose(mode)}>
          <span class="sign">${mode === this.pending ? html`<span class="sign busy"></span>` : icon(ICONS[mode], 20)}</span>
          <span>${this.text(`mode.${mode}`)}${meaning ? html`<span class="meaning">(${meaning})</span>` : nothing}</span>
        </button>`;
      })}
    </div>`;
  }

  /** What following the site is now: what the site does. */
  private siteMode(): string | undefined {
    const site = this.hass && this.state(siteModeEntity(this.hass))?.state;
    const known = MODES.find((mode) => mode === site);
    return known && this.text(`mode.${known}`);
  }

  /** A mode for a narrow menu. */
  private short(mode: ModeName): string {
    const site = mode === "follow_site" ? this.siteMode() : undefined;
    return site === undefined ? this.text(`mode.${mode}`) : this.text("mode.site_is", { mode: site });
  }

  private picked(event: Event): void {
    const mode = MODES.find((item) => item === (event.target as HTMLSelectElement).value);
    if (mode !== undefined) void this.choose(mode);
  }

  private async choose(mode: ModeName): Promise<void> {
    if (this.hass === undefined || mode === (this.pending ?? this.state(this.entity)?.state)) return;
    this.settle();
    this.pending = mode;
    this.requestUpdate();
    tellFailure(this, null);
    const failure = await act(this.hass, "select.select_option", this.entity, { option: mode });
    if (this.pending !== mode) return;
    if (failure === undefined) {
      this.timer = setTimeout(() => this.settle(), FOLLOWS);
    } else {
      this.settle();
      tellFailure(this, failure);
    }
  }

  /** Shows what the state says again. */
  private settle(): void {
    clearTimeout(this.timer);
    if (this.pending === undefined) return;
    this.pending = undefined;
    this.requestUpdate();
  }
}
