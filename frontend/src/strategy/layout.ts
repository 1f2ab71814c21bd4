import type { CardConfig, GridOptions } from "../ha/types";

export interface Section {
  type: "grid";
  cards: CardConfig[];
  column_span?: number;
}

export interface View {
  title: string;
  path: string;
  icon: string;
  type: "sections";
  max_columns: number;
  sections: Section[];
  /** Reached by a link only, not by a tab. */
  subview?: boolean;
}

/** How many sections stand side by side on a wide screen. */
const COLUMNS = 4;

/** Lets Home Assistant name an entity without its device, where the device stands above. */
export const OWN_NAME = { type: "entity" };
/** Names an entity like its device, where all entities show the same. */
export const DEVICE_NAME = { type: "device" };

/** A whole view; sections without a card besides their heading are left out. */
export function view(path: string, title: string, icon: string, sections: readonly Section[]): View {
  const filled = sections.filter(({ cards }) => cards.some(({ type }) => type !== "heading"));
  return { title, path, icon, type: "sections", max_columns: COLUMNS, sections: filled };
}

export function section(...cards: readonly (CardConfig | undefined)[]): Section {
  return { type: "grid", cards: cards.filter((card) => card !== undefined) };
}

/** A section over the whole width of the view. */
export function wide(...cards: readonly (CardConfig | undefined)[]): Section {
  return { ...section(...cards), column_span: COLUMNS };
}

export function heading(text: string, icon: string, path?: string): CardConfig {
  return {
    type: "heading",
    heading: text,
    icon,
    ...(path === undefined ? {} : { tap_action: { action: "navigate", navigation_path: path } }),
  };
}

/** A smaller heading, within a section. */
export const subheading = (text: string): CardConfig => ({ type: "heading", heading: text, heading_style: "subtitle" });

/** A card over the whole width of its section, unless another size is said. */
export function sized(card: CardConfig, size: GridOptions = {}): CardConfig {
  return { ...card, grid_options: { columns: "full", ...size } };
}

/** Rows of entities in one card; undefined without any. */
export function rows(entities: readonly string[], more: Record<string, unknown> = {}): CardConfig | undefined {
  if (entities.length === 0) return undefined;
  return {
    type: "entities",
    show_header_toggle: false,
    entities: entities.map((entity) => ({ entity, name: OWN_NAME, ...more })),
  };
}

export function markdown(content: string): CardConfig {
  return sized({ type: "markdown", content, text_only: true });
}

/** A name in Markdown: what that, or Home Assistant's templates in it, would take for marks is told as it is. */
export const plain = (name: string): string => name.replace(/[\\`*_{}%[\]<>|#]/g, "\\$&");
