import type { HomeAssistant } from "../ha/types";
import type { Home, HomeCharger, Owner } from "../model";
import { type Text, textsOf } from "../texts";
import type { StrategyConfig } from "./options";

/** From so many chargers on each gets a page of its own instead of a long section. */
const MANY = 7;

/** What the views are made of: the registry's part of the site, as the user wants to see it. */
export class Site {
  readonly text: Text;
  readonly admin: boolean;
  /** Those that the user did not leave out. */
  readonly chargers: HomeCharger[];
  readonly many: boolean;

  constructor(
    readonly hass: HomeAssistant,
    readonly home: Home,
    readonly config: StrategyConfig,
  ) {
    this.text = textsOf(hass.language);
    this.admin = hass.user?.is_admin === true;
    const hidden = new Set(config.hide_chargers ?? []);
    this.chargers = home.chargers.filter(({ device_id, disabled }) => !disabled && !hidden.has(device_id ?? ""));
    this.many = this.chargers.length >= MANY;
  }

  /** Whether this Home Assistant runs a part of it, like "recorder". */
  runs(component: string): boolean {
    return this.hass.config.components?.includes(component) ?? true;
  }

  /** Entity ids of an owner by key, those that there are and that the user did not hide. */
  ids(owner: Owner | null, ...keys: readonly string[]): string[] {
    return keys.map((key) => owner?.entities[key]).filter((id) => id !== undefined && this.shown(id)) as string[];
  }

  /** Keys of an owner's entities that start so, sorted. */
  keys(owner: Owner | null, prefix: string): string[] {
    return Object.keys(owner?.entities ?? {})
      .filter((key) => key.startsWith(prefix))
      .sort();
  }

  /** All entities of an owner of a category but some, by id. */
  rest(owner: Owner | null, category: "config" | "diagnostic", but: readonly string[] = []): string[] {
    return Object.entries(owner?.entities ?? {})
      .filter(([key, id]) => !but.includes(key) && this.hass.entities[id]?.entity_category === category)
      .map(([, id]) => id)
      .filter((id) => this.shown(id))
      .sort();
  }

  /** Where a device's page is, for those who may open it. */
  devicePage({ device_id }: Owner): string | undefined {
    return this.admin && device_id !== null ? `/config/devices/device/${device_id}` : undefined;
  }

  private shown(entityId: string): boolean {
    return this.hass.entities[entityId]?.hidden !== true;
  }
}
