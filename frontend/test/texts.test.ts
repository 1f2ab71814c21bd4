import { describe, expect, it } from "vitest";
import { packTexts } from "../build/texts";
import { textsOf } from "../src/texts";
import { de } from "../src/texts/de";
import { en } from "../src/texts/en";

/** The texts that a packed module exports, made of English ones as the browser does it. */
function unpacked(source: string, english: Record<string, string>): Record<string, string> {
  const body = source.replace(/^import .*$/m, "").replace("export const de =", "return");
  return new Function("en", body)(english);
}

describe("packTexts", () => {
  it("keeps each text at its key, in whatever order they were written", () => {
    const backwards = Object.fromEntries(Object.entries(de).reverse());
    expect(unpacked(packTexts("de", backwards, en), en)).toEqual(de);
  });

  it("holds no key twice", () => {
    expect(packTexts("de", de, en)).not.toContain("action.failed");
  });
});

describe("textsOf", () => {
  it("knows German in all its countries, and English for everybody else", () => {
    expect(textsOf("de-CH")("flow.house")).toBe(de["flow.house"]);
    expect(textsOf("fr")("flow.house")).toBe(en["flow.house"]);
    expect(textsOf(undefined)("flow.house")).toBe(en["flow.house"]);
  });

  it("puts what it is told in place of the braces, and leaves what it is not told", () => {
    expect(textsOf("en")("lane.phases", { count: 3 })).toBe("3-phase");
    expect(textsOf("en")("lane.phases")).toBe("{count}-phase");
  });
});
