import { ChargerCard } from "./cards/charger/card";
import { Countdown } from "./cards/charger/countdown";
import { ChargerLane } from "./cards/charger/lane";
import { Modes } from "./cards/charger/modes";
import { OverrideControl } from "./cards/charger/override";
import { SiteCard } from "./cards/site/card";
import { Circuits } from "./cards/site/circuits";
import { PowerFlow } from "./cards/site/flow";
import { TimelineCard } from "./cards/timeline/card";
import { TimelineChart } from "./cards/timeline/chart";
import { TimelineLanes } from "./cards/timeline/lanes";
import { StrategyEditor } from "./editors/strategy";
import { chargerSuggestion, siteSuggestion, timelineSuggestion } from "./editors/suggest";
import { define } from "./element";
import { DashboardStrategy } from "./strategy/dashboard";
import { type Text, textsOf } from "./texts";

declare global {
  interface Window {
    customCards?: Record<string, unknown>[];
    customStrategies?: Record<string, unknown>[];
  }
}

const elements = {
  "pv-load-manager-flow": PowerFlow,
  "pv-load-manager-circuits": Circuits,
  "pv-load-manager-countdown": Countdown,
  "pv-load-manager-modes": Modes,
  "pv-load-manager-override": OverrideControl,
  "pv-load-manager-lane": ChargerLane,
  "pv-load-manager-site-card": SiteCard,
  "pv-load-manager-charger-card": ChargerCard,
  "pv-load-manager-timeline-chart": TimelineChart,
  "pv-load-manager-timeline-lanes": TimelineLanes,
  "pv-load-manager-timeline-card": TimelineCard,
  "pv-load-manager-strategy-editor": StrategyEditor,
  "ll-strategy-dashboard-pv-load-manager": DashboardStrategy,
};
for (const [name, element] of Object.entries(elements)) define(name, element);

/** Home Assistant tells the user's language to the page only after this module is there: it is looked up when asked for. */
const text: Text = (key) => textsOf(document.documentElement.lang || navigator.language)(key);

function offer(list: Record<string, unknown>[], item: Record<string, unknown>): void {
  if (!list.some(({ type }) => type === item.type)) list.push(item);
}

window.customCards ??= [];
const suggestions = { site: siteSuggestion, charger: chargerSuggestion, timeline: timelineSuggestion };
for (const card of ["site", "charger", "timeline"] as const) {
  offer(window.customCards, {
    type: `pv-load-manager-${card}-card`,
    get name() {
      return card === "site" ? text("site.title") : `${text("site.title")}: ${text(`${card}.title`)}`;
    },
    get description() {
      return text(`${card}.description`);
    },
    preview: true,
    documentationURL: "https://github.com/pv-load-manager/pv-load-manager",
    getEntitySuggestion: suggestions[card],
  });
}
window.customStrategies ??= [];
offer(window.customStrategies, {
  type: "pv-load-manager",
  strategyType: "dashboard",
  get name() {
    return text("strategy.name");
  },
  get description() {
    return text("strategy.description");
  },
});
