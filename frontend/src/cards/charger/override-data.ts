import type { HomeAssistant } from "../../ha/types";
import { DAY, instant, localTime, timeZone, zoneOffset } from "../../time";

/** When an override ends: with the car, after a while (min), at a time of day ("HH:MM"), after an energy (kWh). */
export type End =
  | { kind: "car" }
  | { kind: "duration"; minutes: number }
  | { kind: "time"; time: string }
  | { kind: "energy"; kwh: number };

const MAX_KWH = 500;
type Zoned = Pick<HomeAssistant, "locale" | "config">;

/** The nearest current in A that a charger can be given: 0, or whole A from its least to its highest. */
export function possible(amps: number, minimum: number, maximum: number): number {
  if (!Number.isFinite(amps) || amps < minimum / 2) return 0;
  return Math.min(Math.max(Math.round(amps), minimum), maximum);
}

/** What the action `set_override` is given; undefined where the end makes no sense. */
export function overrideData(hass: Zoned, current: number, end: End, now: Date): Record<string, unknown> | undefined {
  switch (end.kind) {
    case "car":
      return { current };
    case "duration":
      return { current, duration: { hours: Math.floor(end.minutes / 60), minutes: end.minutes % 60 } };
    case "time": {
      const moment = next(end.time, timeZone(hass), now);
      return moment && { current, until: localTime(moment, hass.config.time_zone) };
    }
    case "energy":
      return end.kwh > 0 && end.kwh <= MAX_KWH ? { current, energy: end.kwh } : undefined;
  }
}

/** The next moment at which clocks in a time zone show "HH:MM"; undefined where that is no time. */
export function next(time: string, zone: string, now: Date): Date | undefined {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})/.exec(time) ?? [];
  if (hours === undefined || minutes === undefined) return undefined;
  const shown = now.getTime() + zoneOffset(now.getTime(), zone);
  const wanted = Math.floor(shown / DAY) * DAY + (+hours * 60 + +minutes) * 60_000;
  const today = instant(wanted, zone);
  return new Date(today > now.getTime() ? today : instant(wanted + DAY, zone));
}
