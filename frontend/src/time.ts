import type { HomeAssistant } from "./ha/types";

type Zoned = Pick<HomeAssistant, "locale" | "config">;

export const DAY = 24 * 3_600_000;

/** What Home Assistant's clock is ahead of the time since the page was opened, in ms; -Infinity = not heard yet. */
let ahead = Number.NEGATIVE_INFINITY;

/** Takes in when Home Assistant sent something (ISO 8601). The least delayed message is the closest to the truth. */
export function heardAt(moment: string | undefined): void {
  const heard = Date.parse(moment ?? "") - performance.now();
  if (heard > ahead) ahead = heard;
}

/** The time by Home Assistant's clock, in ms: that of a tablet on the wall may be wrong by minutes. */
export const presentTime = (): number => (ahead > 0 ? ahead + performance.now() : Date.now());

const formats = new Map<string, Intl.DateTimeFormat>();

/** Formats are dear to make, and asked for with every label. */
function formatOf(language: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([language, options]);
  const format = formats.get(key) ?? new Intl.DateTimeFormat(language, options);
  formats.set(key, format);
  return format;
}

/** What the clocks of a time zone (IANA name) are ahead of UTC at a time, in ms. */
export function zoneOffset(time: number, zone: string): number {
  // Sweden writes dates as ISO 8601 does.
  const shown = formatOf("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }).format(time);
  return Date.parse(`${shown.replace(" ", "T")}Z`) - Math.floor(time / 1000) * 1000;
}

/** The time at which clocks in a zone show what `local` is in UTC, in ms; what they skip is as much later. */
export function instant(local: number, zone: string): number {
  const unchanged = local - zoneOffset(local - DAY, zone);
  const changed = local - zoneOffset(unchanged, zone);
  return changed + zoneOffset(changed, zone) === local ? changed : unchanged;
}

/** When the day of a time began in a zone, in ms. */
export const midnight = (time: number, zone: string): number =>
  instant(Math.floor((time + zoneOffset(time, zone)) / DAY) * DAY, zone);

/** A moment as "YYYY-MM-DD HH:MM:SS" in a time zone. */
export const localTime = (moment: Date, zone: string): string =>
  new Date(moment.getTime() + zoneOffset(moment.getTime(), zone)).toISOString().slice(0, 19).replace("T", " ");

/** The time zone in which the user wants to see times. */
export function timeZone(hass: Zoned): string {
  return hass.locale.time_zone === "server"
    ? hass.config.time_zone
    : new Intl.DateTimeFormat(undefined).resolvedOptions().timeZone;
}

/** Writes a moment in the user's language and time zone. */
function written(hass: Zoned, moment: number, options: Intl.DateTimeFormatOptions): string {
  const language = hass.locale.time_format === "system" ? undefined : hass.locale.language;
  return formatOf(language, { ...options, timeZone: timeZone(hass) }).format(moment);
}

/** Hours and minutes with the 12 or 24 h that the user chose, else as usual in the language. */
function hours({ locale }: Zoned): Intl.DateTimeFormatOptions {
  const cycles: Record<string, "h12" | "h23"> = { 12: "h12", 24: "h23" };
  const hourCycle = cycles[locale.time_format];
  return { hour: "numeric", minute: "2-digit", ...(hourCycle && { hourCycle }) };
}

/** The time of day of a moment, with the weekday or the date where it is not today. */
export function clock(hass: Zoned, moment: Date, now: Date = new Date(presentTime())): string {
  const zone = timeZone(hass);
  const time = moment.getTime();
  const today = midnight(time, zone) === midnight(now.getTime(), zone);
  const near = Math.abs(time - now.getTime()) < 6 * DAY;
  const day: Intl.DateTimeFormatOptions = near ? { weekday: "short" } : { day: "numeric", month: "short" };
  return written(hass, time, { ...hours(hass), ...(today ? {} : day) });
}

/** A time in ms as hours and minutes, as the user wants them. */
export function clockOf(hass: Zoned, time: number): string {
  const options = hours(hass);
  return written(hass, time, options.hourCycle === "h23" ? { ...options, hour: "2-digit" } : options);
}

/** A time in ms as a day of the week. */
export const weekdayOf = (hass: Zoned, time: number): string => written(hass, time, { weekday: "short" });
