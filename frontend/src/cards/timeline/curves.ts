import type { HomeAssistant } from "../../ha/types";
import type { Home, HomeCharger } from "../../model";
import { worthOf } from "../../quantity";
import type { Recording } from "./stream";
import { emptyTrack, sum, type Track } from "./track";

export type CurveKey = "surplus" | "charging" | "grid" | "pv";
export const CURVES: readonly CurveKey[] = ["surplus", "charging", "grid", "pv"];

/** A figure of the day, in W; grid +import. */
export interface Curve {
  key: CurveKey;
  track: Track<number>;
}

/** The entities of each curve, with the sign that their states need; no entities = there is no such figure here. */
export function sources(home: Home, charger?: HomeCharger): Record<CurveKey, { ids: string[]; sign: 1 | -1 }> {
  const { figures, signs } = home;
  const one = (id: string | null | undefined): string[] => (id ? [id] : []);
  return {
    surplus: { ids: one(figures.surplus), sign: 1 },
    charging: { ids: one(charger ? charger.entities["sensor.power"] : figures.charging_power), sign: 1 },
    grid: { ids: figures.grid_power, sign: signs.grid_power },
    pv: { ids: figures.pv_power, sign: 1 },
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
  return CURVES.filter((key) => all[key].ids.length > 0).map((key) => ({
    key,
    track: sum(
      all[key].ids.map((id) => ({
        track: recording?.figures.get(id) ?? emptyTrack(),
        factor: all[key].sign * (worthOf(hass.states[id]) ?? 1),
      })),
    ),
  }));
}
