import type { HomeAssistant } from "./ha/types";

type Locale = Pick<HomeAssistant, "locale">;
/** Not known: null, or not there. */
type Figure = number | null | undefined;

/** What stands where a figure is not known. */
export const UNKNOWN = "–";

/** Languages that write numbers as the user chose in the profile; undefined = as the browser does. */
const LANGUAGES: Record<string, string | undefined> = {
  comma_decimal: "en-US",
  decimal_comma: "de",
  space_comma: "fr",
  quote_decimal: "de-CH",
  system: undefined,
};

const formats = new Map<string, Intl.NumberFormat>();

function formatOf({ locale }: Locale, digits: number): Intl.NumberFormat {
  const { number_format, language } = locale;
  const key = `${language} ${number_format} ${digits}`;
  const format =
    formats.get(key) ??
    new Intl.NumberFormat(number_format in LANGUAGES ? LANGUAGES[number_format] : language, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      useGrouping: number_format !== "none",
    });
  formats.set(key, format);
  return format;
}

/** A number with so many decimals and its unit, as the user writes numbers; UNKNOWN for null. */
export function number(hass: Locale, value: Figure, digits = 0, unit = ""): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  // No "-0".
  const factor = 10 ** digits;
  return formatOf(hass, digits).format(Math.round(value * factor) / factor + 0) + unit;
}

/** A power in W: whole W below 1 kW, else kW with two decimals below 10 kW and one above. */
export function power(hass: Locale, watts: Figure): string {
  const kilowatts = (watts ?? Number.NaN) / 1000;
  const size = Math.abs(kilowatts);
  return size < 0.9995 ? number(hass, watts, 0, " W") : number(hass, kilowatts, size < 9.995 ? 2 : 1, " kW");
}

/** A current in A. */
export const current = (hass: Locale, amps: Figure, digits = 0): string => number(hass, amps, digits, " A");

/** An energy in Wh, shown in kWh. */
export function energy(hass: Locale, wattHours: Figure): string {
  const kilowattHours = (wattHours ?? Number.NaN) / 1000;
  return number(hass, kilowattHours, Math.abs(kilowattHours) < 99.95 ? 1 : 0, " kWh");
}

/** A part 0..1 in whole %. */
export const percent = (hass: Locale, share: Figure): string => number(hass, (share ?? Number.NaN) * 100, 0, " %");

/** Seconds as m:ss, or h:mm:ss from an hour on. */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
