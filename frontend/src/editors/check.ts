import { type TextKey, textsOf } from "../texts";

type Kind = "boolean" | "number" | "string" | "list";

/** What Home Assistant and its add-ons keep in the configuration of any card. */
const COMMON = new Set([
  "type",
  "grid_options",
  "layout_options",
  "view_layout",
  "visibility",
  "disabled",
  "card_mod",
  "uix",
]);

/** Nobody has told the language to a card that is only being made. */
const text = (key: TextKey, placeholders: Record<string, string>): string =>
  textsOf(document.documentElement.lang || navigator.language)(key, placeholders);

/**
 * Throws what the visual editor shows in words where it would lose an option that is misspelt.
 *
 * Only there: a card that refused what it does not know would refuse what Home Assistant may add one day.
 */
export function checkNames(config: Record<string, unknown>, names: readonly string[]): void {
  const unknown = Object.keys(config).filter((name) => !COMMON.has(name) && !names.includes(name));
  if (unknown.length > 0) {
    throw new Error(text("editor.unknown_option", { names: unknown.join(", "), known: names.join(", ") }));
  }
}

/**
 * Throws what Home Assistant shows in words where an option is of a wrong kind.
 *
 * `options`: what the card knows, by name: a kind, or the values that are allowed.
 */
export function checkKinds(config: Record<string, unknown>, options: Record<string, Kind | readonly unknown[]>): void {
  for (const [name, kind] of Object.entries(options)) {
    const value = config[name];
    if (value === undefined || value === null || fits(value, kind)) continue;
    throw new Error(
      text("editor.wrong_value", {
        name,
        value: JSON.stringify(value),
        kind: typeof kind === "string" ? text(`editor.kind.${kind}`, {}) : kind.join(" / "),
      }),
    );
  }
}

function fits(value: unknown, kind: Kind | readonly unknown[]): boolean {
  if (typeof kind !== "string") return kind.includes(value);
  return kind === "list" ? Array.isArray(value) : typeof value === kind;
}
