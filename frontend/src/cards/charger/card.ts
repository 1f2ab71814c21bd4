import { css, html, type TemplateResult } from "lit";
import { HassElement } from "../../element";
import { homeFeed, liveFeed } from "../../feed";
import type { CardConfig, HomeAssistant } from "../../ha/types";
import { tokens } from "../../styles";

export interface ChargerCardConfig extends CardConfig {
  /** Id of the charger's device. */
  device?: string;
}

/** One charger as a card of its own. */
export class ChargerCard extends HassElement {
  private readonly home = homeFeed(this);
  private readonly live = liveFeed(this);
  private config: ChargerCardConfig | undefined;

  static override styles = [tokens, css``];

  setConfig(config: ChargerCardConfig): void {
    this.config = config;
    this.requestUpdate();
  }

  protected override followed(hass: HomeAssistant): void {
    this.home.follow(hass);
    this.live.follow(hass);
  }

  override render(): TemplateResult {
    const charger = this.home.reading.value?.chargers.find(({ device_id }) => device_id === this.config?.device);
    if (charger === undefined) return html`<ha-card>${this.text("loading")}</ha-card>`;
    const live = this.live.reading.value?.chargers.find((item) => item.charger === charger.serial);
    return html`<ha-card>
      <pv-load-manager-lane .hass=${this.hass} .charger=${charger} .live=${live}></pv-load-manager-lane>
    </ha-card>`;
  }
}
