import { mdiHandBackRight } from "@mdi/js";
import { css, html, nothing, type PropertyDeclarations, type TemplateResult } from "lit";
import { act, tellFailure } from "../../actions";
import { HassElement } from "../../element";
import { current, energy } from "../../format";
import type { HomeAssistant } from "../../ha/types";
import { icon } from "../../icon";
import { tokens } from "../../styles";
import { textsOf } from "../../texts";
import { clock, localTime, presentTime, timeZone } from "../../time";
import { type End, overrideData, possible } from "./override-data";
import { buttons } from "./styles";
import type { OverrideView } from "./view";

/** The ends that the form offers: minutes are durations. */
const ENDS = ["car", "30", "60", "120", "240", "time", "energy"] as const;
type EndName = (typeof ENDS)[number];

const entered = (event: Event): string => (event.target as HTMLInputElement | HTMLSelectElement).value;

/** What an override says: with which current and how long. */
export function overrideText(hass: HomeAssistant, override: OverrideView, now?: Date): string {
  const text = textsOf(hass.language);
  const amps = { current: current(hass, override.current_a) };
  const what = override.current_a > 0 ? text("override.active", amps) : text("override.active_off");
  const ends = [
    override.until && text("override.until", { time: clock(hass, new Date(override.until), now) }),
    override.energy_left_wh !== null && text("override.left", { energy: energy(hass, override.energy_left_wh) }),
  ].filter(Boolean);
  return ends.length > 0 ? `${what} ${ends.join(` ${text("override.or")} `)}` : what;
}

/** The override of one charger: what is in force and its end, or a form for a new one. */
export class OverrideControl extends HassElement {
  static override properties: PropertyDeclarations = {
    ...HassElement.properties,
    entity: {},
    name: {},
    override: { attribute: false, hasChanged: (now, before) => JSON.stringify(now) !== JSON.stringify(before) },
    minimum: { type: Number },
    maximum: { type: Number },
    disabled: { type: Boolean },
    open: { type: Boolean, reflect: true },
  };
  /** Any entity of the charger. */
  declare entity: string;
  declare name: string;
  declare override: OverrideView | null;
  /** Least current but 0, in A. */
  declare minimum: number;
  declare maximum: number;
  declare disabled: boolean;
  declare open: boolean;
  private amps = 0;
  private end: EndName = "car";
  private time = "";
  private kwh = 10;
  private busy = false;
  private invalid = false;
  /** Whether the keyboard was in here before the last change. */
  private held = false;

  static override styles = [
    tokens,
    buttons,
    css`
      .line { display: flex; flex-wrap: wrap; align-items: center; justify-content: flex-end; gap: 4px 8px; min-height: 40px; }
      .what { flex: 1 1 auto; display: flex; align-items: center; gap: 8px; font-size: 14px; }
      .what svg { color: var(--pvlm-car); flex: none; }
      form {
        display: grid; gap: 12px; padding: 12px; border-radius: 12px; font-size: 14px;
        background: var(--pvlm-faint);
      }
      strong { font-weight: 500; }
      .field { display: grid; gap: 4px; }
      .row { display: flex; align-items: center; gap: 8px; min-width: 0; }
      label, .hint { font-size: 12px; color: var(--pvlm-soft); }
      input, select {
        font: inherit; color: inherit; min-height: 40px; min-width: 0; padding: 0 8px; border: 1px solid var(--pvlm-soft);
        border-radius: 8px; background: var(--card-background-color); accent-color: var(--pvlm-car);
      }
      input[type="range"] { flex: 1 1 auto; padding: 0; border: 0; background: none; }
      input[type="number"] { width: 76px; }
      /* Safari gives one without a time hardly any width. */
      #time { min-width: 104px; }
      select { flex: 1 1 140px; }
      .actions { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 8px; }
      [aria-busy="true"] { color: var(--pvlm-soft); }
      /* An iPhone enlarges the page as long as a field with smaller letters is being filled in. */
      @media (pointer: coarse) { input, select { font-size: 16px; } }
    `,
  ];

  constructor() {
    super();
    this.override = null;
    this.name = "";
    this.minimum = 6;
    this.maximum = 16;
    this.disabled = false;
    this.open = false;
  }

  private focused(): boolean {
    return this.hasUpdated && Boolean(this.shadowRoot?.activeElement);
  }

  protected override willUpdate(): void {
    this.held = this.focused();
  }

  protected override updated(): void {
    // With an override, or with its end, the button that was pressed is gone.
    if (this.held && !this.focused()) this.focusLine();
  }

  override render(): TemplateResult | typeof nothing {
    if (this.hass === undefined) return nothing;
    return html`${this.line(this.hass)}${this.open ? this.form() : nothing}`;
  }

  private line(hass: HomeAssistant): TemplateResult | typeof nothing {
    const { override } = this;
    if (override === null && this.open) return nothing;
    if (override === null) {
      return html`<div class="line">
        <button type="button" class="action" ?disabled=${this.disabled} aria-expanded="false" @click=${this.show}>
          ${icon(mdiHandBackRight, 18)}${this.text("override.new")}
        </button>
      </div>`;
    }
    return html`<div class="line" data-part="override">
      <span class="what number">${icon(mdiHandBackRight, 18)}${overrideText(hass, override)}</span>
      <button type="button" class="action" ?disabled=${this.disabled} aria-expanded=${this.open}
        @click=${this.open ? this.hide : this.show}>${this.text("override.change")}</button>
      <button type="button" class="action" data-action="clear" ?disabled=${this.disabled} aria-busy=${this.busy}
        aria-label=${this.text("override.end_of", { name: this.name })} @click=${this.clear}>
        ${this.text("override.end")}</button>
    </div>`;
  }

  private form(): TemplateResult {
    // On the slider 0 is right below the least current.
    const position = this.amps === 0 ? this.minimum - 1 : this.amps;
    const meaning = this.amps === 0 ? this.text("override.zero") : this.text("override.amps", { current: this.amps });
    return html`<form aria-label=${this.text("override.form", { name: this.name })} novalidate
      @submit=${this.submit} @keydown=${this.key}>
      ${this.override === null ? html`<strong>${this.text("override.new")}</strong>` : nothing}
      <div class="field">
        <label for="amps">${this.text("override.current")}</label>
        <div class="row">
          <input id="slider" type="range" aria-label=${this.text("override.current")} aria-valuetext=${meaning}
            min=${this.minimum - 1} max=${this.maximum} step="1" .value=${String(position)} @input=${this.slid}>
          <input id="amps" type="number" inputmode="numeric" min="0" max=${this.maximum} step="1"
            aria-describedby="meaning" .value=${String(this.amps)} @change=${this.typed}><span aria-hidden="true">A</span>
        </div>
        <span id="meaning" class="hint">${meaning}</span>
      </div>
      <div class="field">
        <label for="end">${this.text("override.ends")}</label>
        <div class="row">
          <select id="end" @change=${this.ended}>
            ${ENDS.map((end) => html`<option value=${end} ?selected=${end === this.end}>${this.text(`override.end.${end}`)}</option>`)}
          </select>
          ${
            this.end === "time"
              ? html`<input id="time" type="time" required aria-label=${this.text("override.end.time")} aria-invalid=${this.invalid}
                  .value=${this.time} @input=${(event: Event) => {
                    this.time = entered(event);
                  }}>`
              : nothing
          }
          ${
            this.end === "energy"
              ? html`<input id="energy" type="number" inputmode="decimal" min="0.1" max="500" step="0.1" required
                  aria-label=${this.text("override.end.energy")} aria-invalid=${this.invalid} .value=${String(this.kwh)}
                  @input=${(event: Event) => {
                    this.kwh = Number(entered(event));
                  }}><span aria-hidden="true">kWh</span>`
              : nothing
          }
        </div>
        ${this.invalid ? html`<span class="hint" role="alert">${this.text(`override.invalid.${this.end === "time" ? "time" : "energy"}`)}</span>` : nothing}
      </div>
      <div class="actions">
        <button type="button" class="action" @click=${this.hide}>${this.text("override.cancel")}</button>
        <button type="submit" class="action strong" aria-busy=${this.busy}>${this.text("override.start")}</button>
      </div>
    </form>`;
  }

  private async show(): Promise<void> {
    const { override, hass } = this;
    this.amps = possible(override?.current_a ?? this.maximum, this.minimum, this.maximum);
    this.end = "car";
    if (override?.until && hass) {
      this.end = "time";
      this.time = localTime(new Date(override.until), timeZone(hass)).slice(11, 16);
    } else if (override?.energy_left_wh) {
      this.end = "energy";
      this.kwh = Math.max(0.1, Math.round(override.energy_left_wh / 100) / 10);
    }
    this.invalid = false;
    this.open = true;
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>("#slider")?.focus();
  }

  private async hide(): Promise<void> {
    this.open = false;
    await this.updateComplete;
    this.focusLine();
  }

  private focusLine(): void {
    this.renderRoot.querySelector<HTMLElement>("button[aria-expanded]")?.focus();
  }

  private key(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    void this.hide();
  }

  private slid(event: Event): void {
    this.setAmps(Number(entered(event)), true);
  }

  private typed(event: Event): void {
    const input = event.target as HTMLInputElement;
    // Nothing is not 0 A: nobody who empties the field means to stop the car.
    if (input.value !== "") this.setAmps(Number(input.value), false);
    // Also where what was typed became what stood there before.
    input.value = String(this.amps);
  }

  private setAmps(amps: number, slider: boolean): void {
    this.amps = slider && amps < this.minimum ? 0 : possible(amps, this.minimum, this.maximum);
    this.requestUpdate();
  }

  private ended(event: Event): void {
    this.end = entered(event) as EndName;
    this.invalid = false;
    this.requestUpdate();
  }

  private chosenEnd(): End {
    switch (this.end) {
      case "car":
        return { kind: "car" };
      case "time":
        return { kind: "time", time: this.time };
      case "energy":
        return { kind: "energy", kwh: this.kwh };
      default:
        return { kind: "duration", minutes: Number(this.end) };
    }
  }

  private async submit(event: Event): Promise<void> {
    event.preventDefault();
    if (this.hass === undefined) return;
    const data = overrideData(this.hass, this.amps, this.chosenEnd(), new Date(presentTime()));
    this.invalid = data === undefined;
    if (data === undefined) this.requestUpdate();
    else if (await this.carryOut("pv_load_manager.set_override", data)) await this.hide();
  }

  private clear(): void {
    void this.carryOut("pv_load_manager.clear_override");
  }

  private async carryOut(action: `${string}.${string}`, data: Record<string, unknown> = {}): Promise<boolean> {
    // Not disabled meanwhile: a disabled button loses the keyboard.
    if (this.hass === undefined || this.busy) return false;
    this.setBusy(true);
    tellFailure(this, null);
    const failure = await act(this.hass, action, this.entity, data);
    this.setBusy(false);
    if (failure !== undefined) tellFailure(this, failure);
    return failure === undefined;
  }

  private setBusy(busy: boolean): void {
    this.busy = busy;
    this.requestUpdate();
  }
}
