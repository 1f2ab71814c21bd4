import type { HomeAssistant } from "./ha/types";

type Locale = Pick<HomeAssistant, "locale">;

/** What stands where a figure is not known. */
export const UNKNOWN = "–";

/** The language whose number format the user chose in the profile. */
function numberLanguage({ locale }: Locale): string | undefined {
  switch (locale.number_format) {
    case "comma_decimal":
      return "en-US";
    case "decimal_comma":
      return "de";
    case "space_comma":
      return "fr";
    case "quote_decimal":
      return "de-CH";
    case "system":
      return undefined;
    default:
      return locale.language;
  }
}

const formats = new Map<string, Intl.NumberFormat>();

/** A number with so many decimals, as the user writes numbers; UNKNOWN for null. */
export function number(hass: Locale, value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  const language = numberLanguage(hass);
  const key = `${language} ${digits} ${hass.locale.number_format}`;
  let format = formats.get(key);
  if (format === undefined) {
    format = new Intl.NumberFormat(language, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
      useGrouping: hass.locale.number_format !== "none",
    });
    formats.set(key, format);
  }
  // No "-0".
  const factor = 10 ** digits;
  return format.format(Math.round(value * factor) / factor + 0);
}

/** A power in W: whole W below 1 kW, else kW with two decimals below 10 kW and one above. */
export function power(hass: Locale, watts: number | null | undefined): string {
  if (watts === null || watts === undefined) return UNKNOWN;
  if (Math.abs(watts) < 999.5) return `${number(hass, watts)} W`;
  return `${number(hass, watts / 1000, Math.abs(watts) < 9995 ? 2 : 1)} kW`;
}

/** A current in A. */
export function current(hass: Locale, amps: number | null | undefined, digits = 0): string {
  return amps === null || amps === undefined ? UNKNOWN : `${number(hass, amps, digits)} A`;
}

/** An energy in Wh, shown in kWh. */
export function energy(hass: Locale, wattHours: number | null | undefined): string {
  if (wattHours === null || wattHours === undefined) return UNKNOWN;
  return `${number(hass, wattHours / 1000, Math.abs(wattHours) < 99_950 ? 1 : 0)} kWh`;
}

/** A part 0..1 in whole %. */
export function percent(hass: Locale, share: number | null | undefined): string {
  return share === null || share === undefined ? UNKNOWN : `${number(hass, share * 100)} %`;
}

/** Seconds as m:ss, or h:mm:ss from an hour on. */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
