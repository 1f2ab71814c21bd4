import type { HomeAssistant } from "../../ha/types";
import type { Home, HomeCharger } from "../../model";
import { worthOf } from "../../quantity";
import { type Part, parts } from "../../states";
import type { Recording } from "./stream";
import { emptyTrack, sum, type Track } from "./track";

export type CurveKey = "surplus" | "charging" | "grid" | "pv";
const CURVES: readonly CurveKey[] = ["surplus", "charging", "grid", "pv"];

/** A figure of the day, in W; grid +import. */
export interface Curve {
  key: CurveKey;
  track: Track<number>;
}

/** The entities of each curve, with the sign that their states need; no entities = there is no such figure here. */
export function sources(home: Home, charger?: HomeCharger): Record<CurveKey, Part[]> {
  const { figures } = home;
  const known = (...ids: (string | null | undefined)[]): Part[] => ids.flatMap((id) => (id ? [{ id, sign: 1 }] : []));
  return {
    surplus: known(figures.surplus),
    charging: known(charger ? charger.entities["sensor.power"] : figures.charging_power),
    grid: parts(home, "grid_power"),
    pv: known(...figures.pv_power),
  };
}

/** What of the curves was recorded; states are converted from the unit that their entity has now. */
export function curvesOf(
  recording: Recording | undefined,
  hass: Pick<HomeAssistant, "states">,
  home: Home,
  charger?: HomeCharger,
): Curve[] {
  const all = sources(home, charger);
  return CURVES.filter((key) => all[key].length > 0).map((key) => ({
    key,
    track: sum(
      all[key].map(({ id, sign }) => ({
        track: recording?.figures.get(id) ?? emptyTrack(),
        factor: sign * (worthOf(hass.states[id]) ?? 1),
      })),
    ),
  }));
}
