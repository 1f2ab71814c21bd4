import { ChargerCard } from "./cards/charger/card";
import { ChargerLane } from "./cards/charger/lane";
import { SiteCard } from "./cards/site/card";
import { Circuits } from "./cards/site/circuits";
import { PowerFlow } from "./cards/site/flow";
import { TimelineCard } from "./cards/timeline/card";
import { define } from "./element";
import { DashboardStrategy } from "./strategy/dashboard";
import { textsOf } from "./texts";

declare global {
  interface Window {
    customCards?: Record<string, unknown>[];
    customStrategies?: Record<string, unknown>[];
  }
}

define("pv-load-manager-flow", PowerFlow);
define("pv-load-manager-circuits", Circuits);
define("pv-load-manager-lane", ChargerLane);
define("pv-load-manager-site-card", SiteCard);
define("pv-load-manager-charger-card", ChargerCard);
define("pv-load-manager-timeline-card", TimelineCard);
define("ll-strategy-dashboard-pv-load-manager", DashboardStrategy);

// Nobody has told the user's language yet: that of the page is the best guess.
const text = textsOf(document.documentElement.lang || navigator.language);

function offer(list: Record<string, unknown>[], type: string, more: Record<string, unknown>): void {
  if (!list.some((item) => item.type === type)) list.push({ type, ...more });
}

window.customCards ??= [];
for (const card of ["site", "charger", "timeline"] as const) {
  offer(window.customCards, `pv-load-manager-${card}-card`, {
    name: text(`${card}.title`),
    description: text(`${card}.description`),
    preview: true,
  });
}
window.customStrategies ??= [];
offer(window.customStrategies, "pv-load-manager", {
  strategyType: "dashboard",
  name: text("strategy.name"),
  description: text("strategy.description"),
});
