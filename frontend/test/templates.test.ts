// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are sources of templates
import { describe, expect, it } from "vitest";
import { squeezeTemplates } from "../build/templates";

describe("squeezeTemplates", () => {
  it("takes indentation out of markup and keeps a space between words", () => {
    expect(squeezeTemplates("f(html`<p>\n      one\n      two\n    </p>`)")).toBe("f(html`<p> one two </p>`)");
  });

  it("takes everything out of styles that a browser does not need", () => {
    const source =
      "css`\n  .a > b, c { /* why */\n    margin: calc(1px + 2px) 0;\n  }\n  :host(:focus) .d :hover { top: 10.5px; opacity: 0.5 }\n`";
    expect(squeezeTemplates(source)).toBe(
      "css` .a > b,c{margin:calc(1px + 2px) 0}:host(:focus) .d :hover{top:10.5px;opacity:.5}`",
    );
  });

  it("goes into expressions and leaves other strings alone", () => {
    const source = "html`<i>\n ${list.map((a) => html`<b>\n ${{ a: `x\n }` }.a}\n</b>`)}\n</i>` + `\n  kept` + '}\\n'";
    expect(squeezeTemplates(source)).toBe(
      "html`<i> ${list.map((a) => html`<b> ${{ a: `x\n }` }.a} </b>`)} </i>` + `\n  kept` + '}\\n'",
    );
  });

  it("leaves comments alone", () => {
    const source = "// the tag `html` of Lit\n// and its `css`\nconst a = 1;";
    expect(squeezeTemplates(source)).toBe(source);
  });

  it("refuses what has no end", () => {
    expect(() => squeezeTemplates("html`<p>")).toThrow("no end");
  });
});
