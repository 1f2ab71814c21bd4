import {
  mdiAlertCircle,
  mdiAlertOutline,
  mdiCarElectric,
  mdiCheckCircle,
  mdiChevronUp,
  mdiClockOutline,
  mdiPowerPlugOff,
} from "@mdi/js";
import { html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from "lit";
import type { Failure } from "../../actions";
import { HassElement, moreInfo } from "../../element";
import { current, energy, number, percent, power } from "../../format";
import type { HomeAssistant } from "../../ha/types";
import { icon } from "../../icon";
import type { HomeCharger, LiveCharger } from "../../model";
import { failureRow, problemRows, problemStyles } from "../../problem-rows";
import { tokens } from "../../styles";
import { clock } from "../../time";
import { buttons, lane } from "./styles";
import { type Trouble, troubleOf } from "./trouble";
import { type Car, type LaneView, viewOf, watchedBy } from "./view";

const ICONS: Record<Car, string> = {
  no_car: mdiPowerPlugOff,
  waiting: mdiClockOutline,
  charging: mdiCarElectric,
  complete: mdiCheckCircle,
  error: mdiAlertCircle,
  unknown: mdiCarElectric,
  offline: mdiAlertOutline,
};

/** How long a failure is shown, in ms: longer than it takes to read it out. */
const SHOWN = 30_000;

/** One charger: what it does, why, and what can be done. Shows the states of its entities while nothing is live. */
export class ChargerLane extends HassElement {
  static override properties: PropertyDeclarations = {
    ...HassElement.properties,
    charger: { attribute: false },
    live: { attribute: false },
    compact: { type: Boolean },
    expanded: { state: true },
    failure: { state: true },
  };
  declare charger: HomeCharger;
  declare live: LiveCharger | undefined;
  /** One row that opens, for many chargers. */
  declare compact: boolean;
  declare expanded: boolean;
  declare failure: Failure | undefined;

  private timer: ReturnType<typeof setTimeout> | undefined;

  static override styles = [tokens, buttons, problemStyles, lane];

  constructor() {
    super();
    this.compact = false;
    this.expanded = false;
  }

  protected override watched(): readonly (string | undefined)[] {
    return watchedBy(this.charger, this.live !== undefined);
  }

  protected override followed(hass: HomeAssistant): void {
    this.passOn(hass);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
    this.failure = undefined;
  }

  protected override updated(changed: PropertyValues): void {
    // The button that was pressed is another one now.
    if (this.compact && changed.has("expanded") && changed.get("expanded") !== undefined) {
      this.renderRoot.querySelector<HTMLElement>("[aria-expanded]")?.focus();
    }
  }

  override render(): TemplateResult | typeof nothing {
    const { hass, charger } = this;
    if (hass === undefined) return nothing;
    const view = viewOf(hass, charger, this.live);
    const trouble = troubleOf(hass, charger, view.live, view.car);
    return this.compact && !this.expanded ? this.row(hass, view, trouble) : this.full(hass, view, trouble);
  }

  private full(hass: HomeAssistant, view: LaneView, trouble: Trouble | undefined): TemplateResult {
    const { charger } = this;
    const loaded = this.loaded();
    return html`<section class="lane ${loaded ? view.car : ""}" data-charger=${charger.serial} aria-label=${charger.name}>
      <div class="head">
        <span class="sign">${icon(ICONS[loaded ? view.car : "offline"])}</span>
        <div class="who"><h3>${charger.name}</h3>${loaded ? this.carState(view) : nothing}</div>
        ${loaded ? html`<div class="power">${this.figure("power", view.power_w, power(hass, view.power_w), "sensor.power")}</div>` : nothing}
        ${
          this.compact
            ? html`<button type="button" class="toggle" aria-expanded="true" @click=${this.toggle}
                aria-label=${this.text("lane.collapse", { name: charger.name })}>${icon(mdiChevronUp)}</button>`
            : nothing
        }
      </div>
      ${problemRows(trouble ? [trouble] : [])}
      ${
        loaded
          ? html`${this.amps(hass, view)}${this.why(view)}${this.modes(hass, view)}
            <div class="foot">${this.session(hass, view)}${this.override(hass, view)}</div>`
          : view.live
            ? this.why(view)
            : nothing
      }
      ${this.failed()}
    </section>`;
  }

  private row(hass: HomeAssistant, view: LaneView, trouble: Trouble | undefined): TemplateResult {
    const { charger } = this;
    const loaded = this.loaded();
    const why = trouble?.what ?? view.reason_short ?? this.text(`lane.car.${view.car}`);
    const mode = charger.entities["select.charge_mode"];
    return html`<section class="lane-row ${loaded ? view.car : ""}" data-charger=${charger.serial} aria-label=${charger.name}>
      <div class="row">
        <button type="button" class="expander" aria-expanded="false" @click=${this.toggle}>
          <span class="sign">${icon(trouble ? mdiAlertOutline : ICONS[view.car])}</span>
          <span class="column">
            <span class="line"><span class="name">${charger.name}</span>${loaded ? this.numbers(hass, view) : nothing}</span>
            <span class="why" title=${why} data-part="reason" data-problem=${trouble?.kind ?? nothing}>${why}</span>
            ${loaded ? this.bar(view) : nothing}
          </span>
        </button>
        ${
          mode && loaded
            ? html`<pv-load-manager-modes class="follows" menu .hass=${hass} .entity=${mode} .name=${charger.name}
                @pvlm-failure=${this.note}></pv-load-manager-modes>`
            : nothing
        }
      </div>
      ${this.failed()}
    </section>`;
  }

  /** Numbers of a row, without links: the whole row is one button. */
  private numbers(hass: HomeAssistant, view: LaneView): TemplateResult {
    const plain = (name: string, value: number | null, shown: string): TemplateResult =>
      html`<span data-figure=${name} data-value=${value ?? ""}>${shown}</span>`;
    return html`<span class="numbers number">
      <span class="watts">${plain("power", view.power_w, power(hass, view.power_w))} · </span>${plain(
        "drawn",
        view.drawn_a,
        number(hass, view.drawn_a, digits(view.drawn_a)),
      )} / ${plain("allocated", view.allocated_a, current(hass, view.allocated_a))}
    </span>`;
  }

  private loaded(): boolean {
    return this.charger.state === "loaded" && !this.charger.disabled;
  }

  private carState(view: LaneView): TemplateResult {
    const phases = view.phase_count === null ? undefined : this.text("lane.phases", { count: view.phase_count });
    return html`<div class="state">
      <span>${this.text(`lane.car.${view.car}`)}</span>
      ${
        view.car === "charging"
          ? html`<span>${phases}</span>${
              view.phases === null
                ? nothing
                : html`<span class="phases" role="img" title=${this.phasesOf(view)} aria-label=${`${this.phasesOf(view)}: ${inWords(view.phases)}`}>
                    ${view.phases.map((used, line) => html`<span class="phase ${used ? "used" : ""}">L${line + 1}</span>`)}
                  </span>`
            }`
          : nothing
      }
      ${view.live ? nothing : html`<span class="unlive" title=${this.text("lane.not_live.why")}>${this.text("lane.not_live")}</span>`}
    </div>`;
  }

  private phasesOf({ of_grid }: LaneView): string {
    return this.text(of_grid ? "lane.phases_of_grid" : "lane.phases_of_charger");
  }

  private bar(view: LaneView): TemplateResult {
    const part = (amps: number | null): string =>
      `transform: scaleX(${((amps ?? 0) / (view.scale_a || 1)).toFixed(3)})`;
    return html`<span class="bar" style="display: block" aria-hidden="true">
      <span class="allowed" style=${part(view.allocated_a)}></span><span class="drawn" style=${part(view.drawn_a)}></span>
    </span>`;
  }

  private amps(hass: HomeAssistant, view: LaneView): TemplateResult {
    const allowed = this.text("lane.allowed", { current: current(hass, view.allocated_a) });
    const drawn = this.text("lane.drawn", { current: current(hass, view.drawn_a, digits(view.drawn_a)) });
    return html`<div>
      ${this.bar(view)}
      <div class="scale number">
        <span>${this.figure("allocated", view.allocated_a, allowed, "sensor.allocated_current")}
          <span aria-hidden="true">·</span> ${this.figure("drawn", view.drawn_a, drawn)}</span>
        <span class="soft">${this.text("lane.maximum", { current: current(hass, view.maximum_a) })}</span>
      </div>
    </div>`;
  }

  private why(view: LaneView): TemplateResult {
    return html`<div class="reason">
      <span data-part="reason">${view.reason ?? this.text("lane.no_reason")}</span>
      <pv-load-manager-countdown class="soft" role="timer" data-part="countdown" .moment=${view.next_change}
        .language=${this.hass?.language}></pv-load-manager-countdown>
    </div>`;
  }

  private modes(hass: HomeAssistant, view: LaneView): TemplateResult | typeof nothing {
    const entity = this.charger.entities["select.charge_mode"];
    if (entity === undefined) return nothing;
    return html`<div>
      <pv-load-manager-modes class="follows" .hass=${hass} .entity=${entity} .name=${this.charger.name} @pvlm-failure=${this.note}></pv-load-manager-modes>
      ${
        view.mode_until
          ? html`<div class="holds" data-part="until">${this.text("mode.until", { time: clock(hass, new Date(view.mode_until)) })}</div>`
          : nothing
      }
    </div>`;
  }

  private session(hass: HomeAssistant, view: LaneView): TemplateResult {
    const share = Math.min(Math.max(view.solar_share ?? 0, 0), 1) * 100;
    const none = view.solar_share === null && view.energy_wh === null;
    const solar = none
      ? this.text("lane.no_session")
      : this.text("lane.solar", { share: percent(hass, view.solar_share) });
    const charged = none ? "" : this.text("lane.charged", { energy: energy(hass, view.energy_wh) });
    return html`<div class="session number">
      <svg class="ring" viewBox="0 0 40 40" width="36" height="36" aria-hidden="true">
        <circle class="all" cx="20" cy="20" r="15.9155"></circle>
        <circle class="solar" cx="20" cy="20" r="15.9155" stroke-dasharray="${share.toFixed(1)} 100"></circle>
      </svg>
      <span>${this.figure("solar_share", view.solar_share, solar, "sensor.session_solar_share")}<br>
        <span class="soft">${this.figure("energy", view.energy_wh, charged, none ? undefined : "sensor.session_energy")}</span></span>
    </div>`;
  }

  private override(hass: HomeAssistant, view: LaneView): TemplateResult | typeof nothing {
    const entity = this.charger.entities["select.charge_mode"];
    if (entity === undefined) return nothing;
    const off = this.state(entity)?.state;
    return html`<pv-load-manager-override class=${view.override ? "follows active" : "follows"} .hass=${hass} .entity=${entity}
      .name=${this.charger.name} .override=${view.override} .minimum=${view.minimum_a} .maximum=${view.maximum_a}
      .disabled=${off === undefined || off === "unavailable"} @pvlm-failure=${this.note}></pv-load-manager-override>`;
  }

  /** A figure with its number (`value`, as in the live figures) for whoever reads it by program; opens its entity. */
  private figure(name: string, value: number | null, shown: string, key?: string): TemplateResult {
    const entity = key === undefined ? undefined : this.charger.entities[key];
    return entity !== undefined && this.state(entity) !== undefined
      ? html`<button type="button" class="figure number" data-figure=${name} data-value=${value ?? ""}
          @click=${() => moreInfo(this, entity)}>${shown}</button>`
      : html`<span class="number" data-figure=${name} data-value=${value ?? ""}>${shown}</span>`;
  }

  /** Why what was tried last was not carried out; where it stands is there from the start, so that it is read out. */
  private failed(): TemplateResult {
    return html`<div role="alert">${this.failure ? failureRow(this.failure) : nothing}</div>`;
  }

  private toggle(): void {
    this.expanded = !this.expanded;
  }

  private note(event: CustomEvent<Failure | null>): void {
    clearTimeout(this.timer);
    this.failure = event.detail ?? undefined;
    if (this.failure !== undefined) this.timer = setTimeout(() => (this.failure = undefined), SHOWN);
  }
}

/** Decimals of a measured current: only where something flows. */
const digits = (amps: number | null): number => (amps !== null && amps >= 0.05 ? 1 : 0);

const inWords = (phases: readonly boolean[]): string =>
  phases.flatMap((used, line) => (used ? [`L${line + 1}`] : [])).join(", ") || "–";
