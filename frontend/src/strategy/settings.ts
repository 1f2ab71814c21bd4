import { settingsSection } from "./chargers";
import { heading, markdown, rows, section, type View, view, wide } from "./layout";
import type { Site } from "./site";

/** Settings of the load manager as they belong together; a key that ends so stands for all that start with it. */
const GROUPS = {
  surplus: [
    "mdi:solar-power",
    "switch.excess_charging",
    "switch.solar_only",
    "number.target_grid_power",
    "number.start_threshold",
    "number.guaranteed_power",
    "number.grid_backup",
    "select.cloud_filter",
    "switch.weigh_efficiency",
    "number.grid_weight",
  ],
  grid: [
    "mdi:transmission-tower",
    "switch.dynamic_load_management",
    "number.maximum_total_current",
    "number.circuit_limit_*",
    "number.peak_limit",
    "switch.peak_follow_month",
    "switch.external_current",
    "number.available_current",
    "switch.watchdog",
    "number.default_available_current",
  ],
  charging: [
    "mdi:car-electric",
    "select.default_mode",
    "number.minimum_current",
    "number.start_phase",
    "number.rotation_slot",
    "number.phase_dwell",
    "number.phase_switches_per_day",
    "switch.external_phases",
  ],
  battery: [
    "mdi:home-battery",
    "select.battery_priority",
    "number.battery_start_soc",
    "number.battery_hold_soc",
    "number.battery_target_soc",
    "number.battery_dead_zone",
  ],
} as const;

/** What can be set at the load manager and at each charger. */
export function settingsView(site: Site): View {
  const { text, home, chargers, many, admin } = site;
  const { manager } = home;
  const known: string[] = [];
  const groups = Object.entries(GROUPS).map(([name, [icon, ...keys]]) => {
    const expanded = keys.flatMap((key) => (key.endsWith("*") ? site.keys(manager, key.slice(0, -1)) : [key]));
    known.push(...expanded);
    // Nothing to set about a battery that is not there.
    const shown = name !== "battery" || hasBattery(site) ? site.ids(manager, ...expanded) : [];
    return section(heading(text(`settings.${name as keyof typeof GROUPS}`), icon), rows(shown));
  });
  const experts = rows(site.rest(manager, "config", known));
  const sections = [
    ...groups,
    section(heading(text("strategy.experts"), "mdi:tune-vertical"), experts),
    ...(many ? [] : chargers.map((charger) => settingsSection(site, charger)).filter((one) => one !== undefined)),
  ];
  const hints = [
    ...(many ? [text("strategy.settings_elsewhere")] : []),
    ...(admin ? [text("strategy.more_settings")] : []),
  ];
  const some = sections.some(({ cards }) => cards.some(({ type }) => type !== "heading"));
  if (!some) hints.unshift(text("strategy.no_settings"));
  return view("settings", text("view.settings"), "mdi:cog", [
    ...sections,
    wide(hints.length === 0 ? undefined : markdown(hints.join("\n\n"))),
  ]);
}

function hasBattery({ home }: Site): boolean {
  return (
    home.figures.battery_power.length > 0 ||
    home.figures.battery_soc !== null ||
    home.inverters.some((one) => one.has_battery)
  );
}
