import type { HomeAssistant } from "../../ha/types";
import type { HomeCharger } from "../../model";
import { mending, type Problem } from "../../problems";
import { type TextKey, textsOf } from "../../texts";
import type { Car } from "./view";

/** Something that a person should see to. */
export interface Trouble extends Omit<Problem, "kind"> {
  kind: "charger_disabled" | "charger_not_loaded" | "charger_offline" | "charger_not_managed" | "entity_missing";
}

/** Without these a lane cannot show or change what it is for, live figures or not. */
const NEEDED: Record<string, TextKey> = { "select.charge_mode": "lane.entity.charge_mode" };
/** And these while there are no live figures. */
const NEEDED_STATES: Record<string, TextKey> = {
  "sensor.state": "lane.entity.state",
  "sensor.reason": "lane.entity.reason",
  "sensor.power": "lane.entity.power",
  "sensor.allocated_current": "lane.entity.allocated_current",
};

/** What is wrong with one charger; undefined = nothing. The first thing only: what follows from it is no news. */
export function troubleOf(
  hass: Pick<HomeAssistant, "states" | "language" | "user">,
  charger: HomeCharger,
  live: boolean,
  car: Car,
): Trouble | undefined {
  const text = textsOf(hass.language);
  const trouble = (kind: Trouble["kind"], what: string, mend: TextKey, settings: boolean): Trouble => ({
    kind,
    weight: "warning",
    what,
    ...mending(hass, text(mend), settings),
  });
  if (charger.disabled) return trouble("charger_disabled", text("lane.disabled"), "lane.disabled.mend", true);
  if (charger.state === "setup_in_progress")
    return trouble("charger_not_loaded", text("lane.setting_up"), "lane.setting_up.mend", false);
  if (charger.state !== "loaded") {
    const what = charger.reason ?? text("lane.not_loaded");
    return charger.state === "setup_retry"
      ? trouble("charger_not_loaded", what, "lane.not_loaded.again", false)
      : trouble("charger_not_loaded", what, "lane.not_loaded.mend", true);
  }
  if (car === "offline")
    return trouble("charger_offline", text("lane.not_answering"), "lane.not_answering.mend", false);
  const needed = live ? NEEDED : { ...NEEDED, ...NEEDED_STATES };
  const missing = Object.keys(needed).filter((key) => hass.states[charger.entities[key] ?? ""] === undefined);
  if (missing.length > 0) {
    const names = missing.map((key) => text("lane.quoted", { name: text(needed[key] as TextKey) })).join(", ");
    const what = text(missing.length === 1 ? "lane.entity_missing" : "lane.entities_missing", { names });
    return trouble("entity_missing", what, "lane.entity_missing.mend", true);
  }
  if (hass.states[charger.entities["select.charge_mode"] ?? ""]?.state === "unavailable")
    return trouble("charger_not_managed", text("lane.not_managed"), "lane.not_managed.mend", true);
  return undefined;
}
