import { textsOf } from "../texts";

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

/**
 * Throws what Home Assistant shows in words where an option is unknown or of a wrong kind.
 *
 * `options`: what the card knows, by name: a kind, or the values that are allowed.
 */
export function checkOptions(
  config: Record<string, unknown>,
  options: Record<string, Kind | readonly unknown[]>,
): void {
  // Nobody has told the language to a card that is only being made.
  const text = textsOf(document.documentElement.lang || navigator.language);
  const unknown = Object.keys(config).filter((name) => !COMMON.has(name) && !(name in options));
  if (unknown.length > 0) {
    const known = Object.keys(options).join(", ");
    throw new Error(text("editor.unknown_option", { names: unknown.join(", "), known }));
  }
  for (const [name, kind] of Object.entries(options)) {
    const value = config[name];
    if (value === undefined || value === null || fits(value, kind)) continue;
    throw new Error(
      text("editor.wrong_value", {
        name,
        value: JSON.stringify(value),
        kind: typeof kind === "string" ? text(`editor.kind.${kind}`) : kind.join(" / "),
      }),
    );
  }
}

function fits(value: unknown, kind: Kind | readonly unknown[]): boolean {
  if (typeof kind !== "string") return kind.includes(value);
  return kind === "list" ? Array.isArray(value) : typeof value === kind;
}
