import { homeOnce } from "../feed";
import type { CardConfig, HomeAssistant } from "../ha/types";
import { textsOf } from "../texts";

export interface View {
  title: string;
  path: string;
  icon: string;
  type?: string;
  cards?: CardConfig[];
  sections?: { type: string; cards: CardConfig[]; column_span?: number }[];
  [option: string]: unknown;
}

/** Fills a dashboard with everything that the integration has here. */
export class DashboardStrategy extends HTMLElement {
  static async generate(_config: CardConfig, hass: HomeAssistant): Promise<{ title: string; views: View[] }> {
    const text = textsOf(hass.language);
    await homeOnce(hass);
    return {
      title: text("strategy.name"),
      views: [
        {
          title: text("view.now"),
          path: "now",
          icon: "mdi:home-lightning-bolt",
          type: "panel",
          cards: [{ type: "custom:pv-load-manager-site-card" }],
        },
        {
          title: text("view.history"),
          path: "history",
          icon: "mdi:chart-timeline-variant",
          type: "panel",
          cards: [{ type: "custom:pv-load-manager-timeline-card" }],
        },
      ],
    };
  }
}
