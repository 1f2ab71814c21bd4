import { current } from "../../format";
import type { HomeAssistant } from "../../ha/types";
import type { Home } from "../../model";
import { type TextKey, textsOf } from "../../texts";
import { clock } from "../../time";
import type { Mark } from "./marks";

/** A mark in words: when, who, what, and why ("" where nothing is known). */
export interface Words {
  time: string;
  who: string;
  what: string;
  why: string;
}

const KEYS: Record<string, TextKey> = { unreachable: "timeline.unreachable", problem: "timeline.problem" };

const language = (name: string | undefined): string => (name ?? "").split("-")[0] ?? "";

/** Tells a mark in the user's language. */
export function words(hass: HomeAssistant, home: Home, mark: Mark): Words {
  const text = textsOf(hass.language);
  const charger = home.chargers.find(({ serial }) => serial === mark.charger);
  const entity = hass.states[mark.entityId];
  const own = KEYS[mark.event];
  const what = own ? text(own) : entity && hass.formatEntityAttributeValue?.(entity, "event_type", mark.event);
  return {
    time: clock(hass, new Date(mark.time)),
    who: charger?.name ?? (mark.charger === null ? text("timeline.house") : mark.charger),
    what: what || mark.event,
    why: mark.until
      ? text("timeline.until", { time: clock(hass, new Date(mark.until)) })
      : why(hass, charger?.entities, mark),
  };
}

function why(hass: HomeAssistant, entities: Record<string, string> | undefined, mark: Mark): string {
  // The recorded sentence is in Home Assistant's language; the bare reason can be told in any.
  const foreign = hass.config.language !== undefined && language(hass.config.language) !== language(hass.language);
  const entity = hass.states[entities?.["sensor.reason"] ?? ""];
  if ((!foreign && mark.text) || mark.reason === undefined || entity === undefined) return mark.text ?? "";
  const reason = hass.formatEntityState(entity, mark.reason);
  return mark.current ? `${reason}, ${current(hass, mark.current)}` : reason;
}

/** The same as one sentence, for who cannot see it. */
export const sentence = ({ time, who, what, why }: Words): string => `${time}, ${who}: ${what}${why && `. ${why}`}`;
