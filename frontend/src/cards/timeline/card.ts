import { html, type TemplateResult } from "lit";
import { HassElement } from "../../element";
import { homeFeed } from "../../feed";
import type { CardConfig, HomeAssistant } from "../../ha/types";
import { tokens } from "../../styles";

export interface TimelineCardConfig extends CardConfig {
  /** How far back, in h; 0 = since midnight. */
  hours?: number;
}

/** The day's surplus, charged power and grid power with every decision. */
export class TimelineCard extends HassElement {
  private readonly home = homeFeed(this);
  static override styles = tokens;

  setConfig(_config: TimelineCardConfig): void {}

  protected override followed(hass: HomeAssistant): void {
    this.home.follow(hass);
  }

  override render(): TemplateResult {
    return html`<ha-card>${this.home.reading.value?.figures.surplus ?? this.text("loading")}</ha-card>`;
  }
}
