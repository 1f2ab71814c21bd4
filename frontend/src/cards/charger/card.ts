import { css, html, type TemplateResult } from "lit";
import { checkKinds } from "../../editors/check";
import { chargerForm } from "../../editors/forms";
import { chargerStub } from "../../editors/suggest";
import { HassElement } from "../../element";
import { homeFeed, liveFeed } from "../../feed";
import type { CardConfig, GridOptions, HomeAssistant } from "../../ha/types";
import { problemRows, problemStyles } from "../../problem-rows";
import { siteProblems } from "../../problems";
import { tokens } from "../../styles";
import { chargerOf, type Wanted } from "./find";
import { buttons } from "./styles";

export interface ChargerCardConfig extends CardConfig, Wanted {}

/** One charger as a card of its own. */
export class ChargerCard extends HassElement {
  private readonly home = homeFeed(this);
  private readonly live = liveFeed(this);
  private config: ChargerCardConfig | undefined;

  static override styles = [
    tokens,
    buttons,
    problemStyles,
    css`
      ha-card { padding: 4px var(--pvlm-gap); min-height: 120px; container-type: inline-size; }
      .problems { margin: 12px 0; }
      .bone { height: 312px; border-radius: 12px; margin: 12px 0; background: var(--pvlm-faint); }
      @container (max-width: 479px) { .bone { height: 332px; } }
    `,
  ];

  static getConfigForm = chargerForm;
  static getStubConfig = chargerStub;

  setConfig(config: ChargerCardConfig): void {
    checkKinds(config, { device: "string", entity: "string" });
    this.config = config;
    this.requestUpdate();
  }

  getCardSize(): number {
    return 7;
  }

  getGridOptions(): GridOptions {
    return { columns: 12, min_columns: 6 };
  }

  protected override followed(hass: HomeAssistant): void {
    this.home.follow(hass);
    this.live.follow(hass);
    this.passOn(hass);
  }

  override render(): TemplateResult {
    const { hass } = this;
    const config: Wanted = this.config ?? {};
    const { value: home, error } = this.home.reading;
    if (hass === undefined || (home === undefined && error === undefined)) {
      return html`<ha-card aria-busy="true"><div class="bone"></div><span class="visually-hidden">${this.text("loading")}</span></ha-card>`;
    }
    const problems = siteProblems({ hass, home: this.home.reading, live: this.live.reading });
    const charger = home && chargerOf(hass, home, config);
    if (charger === undefined) {
      const missing = {
        kind: "device_missing",
        weight: "warning" as const,
        what: this.text(config.device || config.entity ? "lane.device_missing" : "lane.device_open"),
        mend: this.text("lane.device_missing.mend"),
      };
      const others = home === undefined || home.chargers.length === 0;
      return html`<ha-card data-live="none">${problemRows(others ? problems.slice(0, 1) : [missing])}</ha-card>`;
    }
    const live = this.live.reading.value?.chargers.find((item) => item.charger === charger.serial);
    const lost = problems.filter(({ kind }) => kind === "connection_lost");
    return html`<ha-card data-live=${hass.connected ? (live ? "live" : "states") : "none"}>
      ${problemRows(lost)}
      <pv-load-manager-lane class="follows" .hass=${hass} .charger=${charger} .live=${live}></pv-load-manager-lane>
    </ha-card>`;
  }
}
