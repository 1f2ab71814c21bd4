import type { CardConfig } from "../ha/types";
import type { HomeCharger, Owner } from "../model";
import { heading, OWN_NAME, type Section, section, sized, subheading, type View, view } from "./layout";
import type { Site } from "./site";

const ICON = "mdi:ev-station";
/** Colours that Home Assistant's charts can resolve, near those of its energy dashboard. */
const SOURCE_COLOURS = { solar: "orange", battery: "teal", grid: "blue" };

/** What of a charger is set day by day, with the control that its tile gets. */
const CONTROLS = [
  ["select.priority", { type: "select-options" }],
  ["select.phase_policy", { type: "select-options" }],
  ["number.maximum_current", { type: "numeric-input", style: "buttons" }],
] as const;

/** Today's energy by source, for a chart. */
export function bySource(site: Site, owner: Owner | null): { entity: string; name: object; color: string }[] {
  return Object.entries(SOURCE_COLOURS).flatMap(([source, color]) =>
    site.ids(owner, `sensor.${source}_today`).map((entity) => ({ entity, name: OWN_NAME, color })),
  );
}

/** A section for each charger; where there are many, each has more on a page of its own. */
export function chargerViews(site: Site): View[] {
  const { text, chargers, many } = site;
  const sections = chargers.map((charger) => {
    if (!many) return section(...cards(site, charger, site.devicePage(charger)));
    return section(heading(charger.name, ICON, pathOf(charger)), card(charger));
  });
  const all = view("chargers", text("view.chargers"), ICON, sections);
  return many ? [all, ...chargers.map((charger) => page(site, charger))] : [all];
}

const pathOf = ({ serial }: HomeCharger): string => `charger-${serial}`;

function page(site: Site, charger: HomeCharger): View {
  const [top, ...below] = cards(site, charger, site.devicePage(charger));
  const settings = settingsSection(site, charger);
  const sections: Section[] = [section(top, ...below), ...(settings === undefined ? [] : [settings])];
  return { ...view(pathOf(charger), charger.name, ICON, sections), subview: true };
}

function card({ device_id }: HomeCharger): CardConfig {
  const charger = { type: "custom:pv-load-manager-charger-card", ...(device_id === null ? {} : { device: device_id }) };
  return sized(charger);
}

function cards(site: Site, charger: HomeCharger, path: string | undefined): CardConfig[] {
  const { text } = site;
  const today = bySource(site, charger);
  const controls = CONTROLS.flatMap(([key, feature]) =>
    site.ids(charger, key).map((entity) =>
      sized({
        type: "tile",
        entity,
        name: OWN_NAME,
        hide_state: true,
        features: [feature],
        features_position: "inline",
      }),
    ),
  );
  const tiles = site
    .ids(charger, "sensor.last_session", "sensor.lifetime_energy")
    .map((entity) => sized({ type: "tile", entity, name: OWN_NAME }, { columns: 6 }));
  return [
    heading(charger.name, ICON, path),
    card(charger),
    ...tiles,
    // A page of its own has all that can be set beside these.
    ...(site.many || controls.length === 0 ? [] : [subheading(text("strategy.settings_of_charger")), ...controls]),
    // Last, because Home Assistant gives this card its height late.
    ...(today.length === 0 ? [] : [subheading(text("strategy.today")), { type: "distribution", entities: today }]),
  ];
}

/** All that can be set at one charger; undefined where nothing can. */
export function settingsSection(site: Site, charger: HomeCharger): Section | undefined {
  const first = ["number.maximum_current", "select.phase_policy", "select.priority", "switch.keep_charge_mode"];
  const ids = [...site.ids(charger, ...first), ...site.rest(charger, "config", [...first, "button.gone"])];
  if (ids.length === 0) return undefined;
  const entities = ids.map((entity) => ({ entity, name: OWN_NAME }));
  const title = site.many ? site.text("strategy.settings_of_charger") : charger.name;
  return section(heading(title, ICON), sized({ type: "entities", entities }));
}
