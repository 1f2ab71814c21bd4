import type { CardConfig } from "../ha/types";

export const VIEWS = ["now", "chargers", "history", "settings", "health"] as const;
export type ViewName = (typeof VIEWS)[number];

/** What a user can say about the dashboard. */
export interface StrategyConfig extends CardConfig {
  title?: string;
  hide_views?: ViewName[];
  /** Ids of the devices of chargers. */
  hide_chargers?: string[];
}

export const OPTIONS = ["title", "hide_views", "hide_chargers"] as const;

/** Options that nobody knows: a typing error would otherwise do nothing, silently. */
export function unknownOptions(config: CardConfig): string[] {
  const known: readonly string[] = ["type", ...OPTIONS];
  return Object.keys(config).filter((name) => !known.includes(name));
}
