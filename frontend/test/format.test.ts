import { describe, expect, it } from "vitest";
import { countdown, energy, percent, power } from "../src/format";

const hass = (language: string, number_format = "language") => ({
  locale: { language, number_format, time_format: "language", time_zone: "local" },
});

describe("power", () => {
  it("is in W below a kilowatt and in kW above", () => {
    expect(power(hass("en"), 0)).toBe("0 W");
    expect(power(hass("en"), -0.4)).toBe("0 W");
    expect(power(hass("en"), 999.4)).toBe("999 W");
    expect(power(hass("en"), 999.6)).toBe("1.00 kW");
    expect(power(hass("en"), -6616)).toBe("-6.62 kW");
    expect(power(hass("en"), 9996)).toBe("10.0 kW");
    expect(power(hass("en"), null)).toBe("–");
  });

  it("follows the user's number format, not the language alone", () => {
    expect(power(hass("de"), 6616)).toBe("6,62 kW");
    expect(power(hass("de", "comma_decimal"), 6616)).toBe("6.62 kW");
  });
});

describe("other figures", () => {
  it("rounds as people expect", () => {
    expect(energy(hass("en"), 12_345)).toBe("12.3 kWh");
    expect(percent(hass("en"), 0.876)).toBe("88 %");
    expect(countdown(59.2)).toBe("1:00");
    expect(countdown(3725)).toBe("1:02:05");
    expect(countdown(-3)).toBe("0:00");
  });
});
