/** Every text that this module shows; names and states of entities come from Home Assistant. */
export const en = {
  "site.title": "PV Load Manager",
  "site.description": "Power flow, circuits and chargers of the house, with the reason of every car.",
  "charger.title": "Charger",
  "charger.description": "One charger: mode, current, reason, session and override.",
  "timeline.title": "Charging timeline",
  "timeline.description": "Surplus, charged power and grid power of the day, with every decision and its reason.",
  "strategy.name": "PV Load Manager",
  "strategy.description": "A whole dashboard that fills itself: now, chargers, history, settings and health.",
  "view.now": "Now",
  "view.chargers": "Chargers",
  "view.history": "History",
  "view.settings": "Settings",
  "view.health": "Health",
  loading: "Loading…",
};
