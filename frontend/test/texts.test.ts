// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are sources of templates
import { describe, expect, it } from "vitest";
import { packTexts, shorten, shortNames } from "../build/texts";
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

describe("shortNames", () => {
  const english = { "a.one": "1", "a.two": "2", "b.one.more": "3", "b.two.more": "4", "c.one": "5", loading: "…" };
  const sources = [
    "text(`a.${kind}`); text(`${kind} ${other}`);",
    "const key = `b.two${more}.more`; `no.${html`<b>`}`",
  ];

  it("leaves alone what is put together", () => {
    expect([...shortNames(english, sources).keys()]).toEqual(["b.one.more", "c.one"]);
  });

  it("replaces a key wherever it stands as a whole", () => {
    const source = 'text("c.one"); ({ "b.one.more": "c.one.", "a.one": "c.one" })';
    expect(shorten(source, shortNames(english, sources))).toBe('text(".1"); ({ ".0": "c.one.", "a.one": ".1" })');
  });

  it("finds no name twice", () => {
    const names = [...shortNames(en, []).values()];
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(200);
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
