import { css, html, type TemplateResult } from "lit";
import { HassElement } from "../../element";
import type { HomeCharger, LiveCharger } from "../../model";
import { tokens } from "../../styles";

/** One charger: what it does, why, and what can be done. Shows the states of its entities while nothing is live. */
export class ChargerLane extends HassElement {
  static override properties = { ...HassElement.properties, charger: { attribute: false }, live: { attribute: false } };
  declare charger: HomeCharger;
  declare live: LiveCharger | undefined;

  static override styles = [tokens, css``];

  protected override watched(): readonly (string | undefined)[] {
    return [this.charger.entities["select.charge_mode"], this.charger.entities["sensor.session_solar_share"]];
  }

  override render(): TemplateResult {
    return html`<div data-charger=${this.charger.serial}>${this.charger.name}: ${this.live?.text}</div>`;
  }
}
