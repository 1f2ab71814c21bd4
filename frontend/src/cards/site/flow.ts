import { css, html, LitElement, type TemplateResult } from "lit";
import { power } from "../../format";
import type { HomeAssistant } from "../../ha/types";
import type { Home, Live } from "../../model";
import { tokens } from "../../styles";

/** Where power comes from and where it goes. */
export class PowerFlow extends LitElement {
  static override properties = { hass: { attribute: false }, home: { attribute: false }, live: { attribute: false } };
  declare hass: HomeAssistant;
  declare home: Home;
  declare live: Live;

  static override styles = [tokens, css``];

  override render(): TemplateResult {
    const { surplus } = this.live.site;
    return html`<p data-figure="pv" data-value=${surplus.pv_w}>${power(this.hass, surplus.pv_w)}</p>`;
  }
}
