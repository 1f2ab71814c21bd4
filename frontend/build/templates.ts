/**
 * Takes the indentation out of the templates of Lit: a browser does not need it, and no minifier looks into them.
 */

/** What is left of the text of a template, without what its `${}` hold. */
type Squeeze = (text: string) => string;

// A line break between two tags becomes a space: it may stand between two words.
const markup: Squeeze = (text) => text.replace(/\s*\n\s*/g, " ");
const styles: Squeeze = (text) =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\s+/g, " ")
    .replace(/ ?([{};,]) ?/g, "$1")
    .replace(/: /g, ":")
    .replace(/;}/g, "}")
    .replace(/(?<![\w.])0\./g, ".");

const TAGS: Record<string, Squeeze> = { html: markup, svg: markup, css: styles };

/** Returns the same module with shorter templates; everything outside of them stays as it is. */
export function squeezeTemplates(code: string): string {
  let result = "";
  let at = 0;
  for (let start = find(code, at); start !== undefined; start = find(code, at)) {
    result += code.slice(at, start.index);
    const [text, end] = template(code, start.index, start.squeeze);
    result += text;
    at = end;
  }
  return result + code.slice(at);
}

function find(code: string, from: number): { index: number; squeeze: Squeeze } | undefined {
  // Not where a comment speaks of a tag.
  const tag = /(?<![`'"\w.])(html|svg|css)`/g;
  tag.lastIndex = from;
  const found = tag.exec(code);
  const squeeze = TAGS[found?.[1] ?? ""];
  return found === null || squeeze === undefined ? undefined : { index: tag.lastIndex, squeeze };
}

/** Returns the squeezed rest of a template that begins at `from`, and where it ends. */
function template(code: string, from: number, squeeze: Squeeze): [string, number] {
  let result = "";
  let text = from;
  for (let at = from; at < code.length; at++) {
    if (code[at] === "\\") at++;
    else if (code[at] === "`") return [`${result}${squeeze(code.slice(text, at))}\``, at + 1];
    else if (code.startsWith("${", at)) {
      const end = expression(code, at + 2);
      result += `${squeeze(code.slice(text, at))}\${${squeezeTemplates(code.slice(at + 2, end))}}`;
      text = end + 1;
      at = end;
    }
  }
  throw new Error("a template has no end");
}

/** Returns where the expression in `${}` that begins at `from` ends: at its closing brace. */
function expression(code: string, from: number): number {
  let depth = 0;
  for (let at = from; at < code.length; at++) {
    const character = code[at];
    if (character === "`") at = skipTemplate(code, at + 1);
    else if (character === '"' || character === "'") at = skipString(code, at, character);
    else if (character === "{") depth++;
    else if (character === "}" && depth-- === 0) return at;
  }
  throw new Error("an expression in a template has no end");
}

function skipString(code: string, from: number, quote: string): number {
  let at = from + 1;
  while (at < code.length && code[at] !== quote) at += code[at] === "\\" ? 2 : 1;
  return at;
}

function skipTemplate(code: string, from: number): number {
  for (let at = from; at < code.length; at++) {
    if (code[at] === "\\") at++;
    else if (code[at] === "`") return at;
    else if (code.startsWith("${", at)) at = expression(code, at + 2);
  }
  throw new Error("a template has no end");
}
