import { css, html, type TemplateResult } from "lit";
import { HassElement } from "../../element";
import { homeFeed, liveFeed } from "../../feed";
import type { CardConfig, HomeAssistant } from "../../ha/types";
import { tokens } from "../../styles";

export interface SiteCardConfig extends CardConfig {
  /** All true unless said otherwise. */
  show_flow?: boolean;
  show_circuits?: boolean;
  show_chargers?: boolean;
}

/** The whole site: power flow, circuits, and a lane for each charger. */
export class SiteCard extends HassElement {
  private readonly home = homeFeed(this);
  private readonly live = liveFeed(this);
  private config: SiteCardConfig | undefined;

  static override styles = [
    tokens,
    css`
      ha-card { padding: var(--pvlm-gap); container-type: inline-size; }
    `,
  ];

  setConfig(config: SiteCardConfig): void {
    this.config = config;
    this.requestUpdate();
  }

  protected override followed(hass: HomeAssistant): void {
    this.home.follow(hass);
    this.live.follow(hass);
  }

  override render(): TemplateResult {
    const home = this.home.reading.value;
    const live = this.live.reading.value;
    if (!this.hass || !home || !live) return html`<ha-card>${this.text("loading")}</ha-card>`;
    return html`<ha-card data-live="live">
      ${
        this.config?.show_flow === false
          ? ""
          : html`<pv-load-manager-flow .hass=${this.hass} .home=${home} .live=${live}></pv-load-manager-flow>`
      }
      ${
        this.config?.show_circuits === false
          ? ""
          : html`<pv-load-manager-circuits .hass=${this.hass} .home=${home} .circuits=${live.site.circuits}></pv-load-manager-circuits>`
      }
      ${
        this.config?.show_chargers === false
          ? ""
          : home.chargers.map(
              (charger) =>
                html`<pv-load-manager-lane .hass=${this.hass} .charger=${charger}
                  .live=${live.chargers.find((item) => item.charger === charger.serial)}></pv-load-manager-lane>`,
            )
      }
    </ha-card>`;
  }
}
