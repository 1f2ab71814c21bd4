/**
 * Makes the texts small. The module is read by browsers only: they need neither the keys of a second language, nor names
 * that people understand.
 */

type Texts = Record<string, string>;

/**
 * Returns a short name for each key but those that `sources` (of modules) put together in a template: `a.${b}` makes
 * all keys that begin with "a.".
 */
export function shortNames(english: Texts, sources: readonly string[]): Map<string, string> {
  const made = sources
    .flatMap((source) => [...source.matchAll(/`([\w.]*)\$\{[^`{}]*\}([\w.]*)`/g)])
    .filter(([, begin, end]) => `${begin}${end}`.includes("."));
  const fixed = Object.keys(english).filter(
    (key) => key.includes(".") && !made.some(([, begin = "", end = ""]) => key.startsWith(begin) && key.endsWith(end)),
  );
  // A dot keeps them apart from all other strings.
  return new Map(fixed.map((key, index) => [key, `.${index.toString(36)}`]));
}

/** Returns a module's source with the short names instead of the keys. */
export function shorten(source: string, names: ReadonlyMap<string, string>): string {
  return source.replace(/"([\w.]+)"/g, (whole, key: string) => (names.has(key) ? `"${names.get(key)}"` : whole));
}

/** Returns the source of a module beside `en.ts` that exports texts as `name`: a list in the order of the English ones. */
export function packTexts(name: string, texts: Texts, english: Texts): string {
  const values = Object.keys(english).map((key) => texts[key]);
  return `import { en } from "./en";
const texts = ${JSON.stringify(values)};
export const ${name} = Object.fromEntries(Object.keys(en).map((key, index) => [key, texts[index]]));
`;
}
