import { homeOnce, listenHome } from "../feed";
import type { Connection, HomeAssistant } from "../ha/types";
import type { Home } from "../model";
import { textsOf } from "../texts";
import { chargerViews } from "./chargers";
import { healthView } from "./health";
import { historyView } from "./history";
import type { View } from "./layout";
import { nowView } from "./now";
import type { StrategyConfig, ViewName } from "./options";
import { settingsView } from "./settings";
import { Site } from "./site";

const MAKERS: Record<ViewName, (site: Site) => View[]> = {
  now: (site) => [nowView(site)],
  chargers: chargerViews,
  history: (site) => [historyView(site)],
  settings: (site) => [settingsView(site)],
  health: (site) => [healthView(site)],
};

/** While nothing is known: its only card says what is wrong, and fills itself when that is mended. */
const NOTHING: Home = {
  manager: null,
  chargers: [],
  inverters: [],
  figures: {
    surplus: null,
    charging_power: null,
    house_power: null,
    grid_power: [],
    pv_power: [],
    battery_power: [],
    battery_soc: null,
  },
  minus: { grid_power: [], battery_power: [] },
  signs: { grid_power: 1, battery_power: 1 },
  circuits: [],
};

/** Fills a dashboard with everything that the integration has here. */
export class DashboardStrategy extends HTMLElement {
  /** Whether the views were made while nobody could say of what, and somebody can now. */
  private static stale = false;
  private static waiting = false;
  /** What there was when somebody could say it: a restart takes nobody's views away. */
  private static readonly last = new WeakMap<Connection, Home>();

  /** Home Assistant asks for the views of a dashboard. */
  static async generate(config: StrategyConfig, hass: HomeAssistant): Promise<{ title: string; views: View[] }> {
    const text = textsOf(hass.language);
    DashboardStrategy.stale = false;
    const home = await homeOnce(hass).catch(() => undefined);
    if (home === undefined) DashboardStrategy.waitFor(hass);
    else DashboardStrategy.last.set(hass.connection, home);
    const site = new Site(hass, home ?? DashboardStrategy.last.get(hass.connection) ?? NOTHING, config);
    return { title: config.title || text("strategy.name"), views: viewsOf(site) };
  }

  /** Home Assistant asks at each change of any state: whether the views have to be made anew. */
  static shouldRegenerate(_config: StrategyConfig, before: HomeAssistant, hass: HomeAssistant): boolean {
    if (DashboardStrategy.stale || before.language !== hass.language) return true;
    if (before.entities === hass.entities && before.devices === hass.devices) return false;
    return outline(before) !== outline(hass);
  }

  /** The name and the icon of a new dashboard. */
  static getCreateSuggestions(hass: HomeAssistant): { title: string; icon: string } {
    return { title: textsOf(hass.language)("strategy.name"), icon: "mdi:home-lightning-bolt" };
  }

  static getConfigElement(): HTMLElement {
    return document.createElement("pv-load-manager-strategy-editor");
  }

  private static waitFor(hass: HomeAssistant): void {
    if (DashboardStrategy.waiting) return;
    DashboardStrategy.waiting = true;
    listenHome(hass, ({ value }, end) => {
      if (value === undefined) return;
      end();
      DashboardStrategy.waiting = false;
      DashboardStrategy.stale = true;
    });
  }
}

/** The views that the user wants; at least one, because a dashboard without any asks to be edited. */
export function viewsOf(site: Site): View[] {
  const { home, config } = site;
  const empty = home.manager === null && home.chargers.length === 0 && home.inverters.length === 0;
  const wanted = (Object.keys(MAKERS) as ViewName[]).filter((name) => !config.hide_views?.includes(name));
  const names: ViewName[] = empty || wanted.length === 0 ? ["now"] : wanted;
  return names.flatMap((name) => MAKERS[name](site)).filter((view) => view.sections.length > 0);
}

/** Everything in the registries of which the views are made, in one string. */
function outline({ entities, devices }: HomeAssistant): string {
  const ours = Object.values(entities).filter((entity) => entity?.platform === "pv_load_manager");
  const deviceIds = new Set(ours.map((entity) => entity?.device_id ?? ""));
  return JSON.stringify([
    ours.map((one) => [one?.entity_id, one?.hidden, one?.entity_category]),
    [...deviceIds].map((id) => {
      const device = devices?.[id];
      return [id, device?.name_by_user ?? device?.name, device?.sw_version];
    }),
  ]);
}
