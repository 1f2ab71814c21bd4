import type { CardConfig } from "../ha/types";
import { bySource } from "./chargers";
import {
  DEVICE_NAME,
  heading,
  markdown,
  OWN_NAME,
  rows,
  section,
  sized,
  subheading,
  type View,
  view,
  wide,
} from "./layout";
import type { Site } from "./site";

const SPANS = {
  days: { period: "day", days_to_show: 30 },
  months: { period: "month", days_to_show: 365 },
} as const;

/** What was: the day with its decisions, energy by charger and source, circuits, sessions. */
export function historyView(site: Site): View {
  const { text, home, chargers } = site;
  const { manager } = home;
  const byCharger = chargers.flatMap((charger) =>
    site.ids(charger, "sensor.lifetime_energy").map((entity) => ({ entity, name: DEVICE_NAME })),
  );
  const utilisation = site.ids(manager, ...site.keys(manager, "sensor.utilisation_"));
  // A circuit is a device of its own, the house connection is a part of the load manager.
  const root = manager?.entities["sensor.utilisation_root"];
  const events = [
    ...chargers.flatMap((charger) => site.ids(charger, "event.charging")),
    ...site.ids(manager, "event.limits"),
  ];
  const sessions = chargers.flatMap((charger) => site.ids(charger, "sensor.last_session"));
  const recorded = site.runs("recorder");
  const energy = (title: string, entities: readonly object[]) =>
    recorded && entities.length > 0
      ? section(
          heading(title, "mdi:chart-bar-stacked"),
          ...(["days", "months"] as const).flatMap((span) => [
            subheading(text(`span.${span}`)),
            graph(entities, SPANS[span]),
          ]),
        )
      : section();
  return view("history", text("view.history"), "mdi:chart-timeline-variant", [
    wide(
      recorded ? undefined : markdown(text("strategy.no_history")),
      sized({ type: "custom:pv-load-manager-timeline-card" }),
    ),
    energy(text("strategy.energy_by_charger"), byCharger),
    energy(text("strategy.energy_by_source"), bySource(site, manager)),
    site.runs("history") && utilisation.length > 0
      ? section(
          heading(text("strategy.utilisation"), "mdi:gauge"),
          sized({
            type: "history-graph",
            hours_to_show: 24,
            min_y_axis: 0,
            entities: utilisation.map((entity) => ({ entity, name: entity === root ? OWN_NAME : DEVICE_NAME })),
          }),
        )
      : section(),
    section(
      heading(text("strategy.last_sessions"), "mdi:car-clock"),
      rows(sessions, { name: DEVICE_NAME, secondary_info: "last-changed" }),
      site.admin && sessions.length > 0 ? markdown(text("strategy.sessions_hint")) : undefined,
    ),
    site.runs("logbook") && events.length > 0
      ? section(
          heading(text("strategy.decisions"), "mdi:format-list-bulleted"),
          sized({ type: "logbook", hours_to_show: 24, target: { entity_id: events } }, { rows: 8 }),
        )
      : section(),
  ]);
}

function graph(entities: readonly object[], span: (typeof SPANS)[keyof typeof SPANS]): CardConfig {
  const card = { type: "statistics-graph", entities, chart_type: "bar-stack", stat_types: ["change"], ...span };
  return sized(card);
}
