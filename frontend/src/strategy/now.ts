import type { CardConfig } from "../ha/types";
import { markdown, sized, type View, view, wide } from "./layout";
import { OPTIONS, unknownOptions } from "./options";
import type { Site } from "./site";

/** The view that is looked at most: the whole site in one card. */
export function nowView({ text, config, home, chargers }: Site): View {
  const unknown = unknownOptions(config);
  const some = chargers.length < home.chargers.filter(({ disabled }) => !disabled).length;
  const card: CardConfig = {
    type: "custom:pv-load-manager-site-card",
    ...(some ? { chargers: chargers.map(({ device_id }) => device_id).filter((id) => id !== null) } : {}),
  };
  return view("now", text("view.now"), "mdi:home-lightning-bolt", [
    wide(
      unknown.length === 0
        ? undefined
        : markdown(text("strategy.unknown_option", { names: unknown.join(", "), known: OPTIONS.join(", ") })),
      sized({ type: "repairs", hide_empty: true }, { rows: 1 }),
      sized(card),
    ),
  ]);
}
