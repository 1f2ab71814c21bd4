/**
 * Packs the texts of a language for the module: a list in the order of the English ones, whose keys are there anyway.
 */

/** Returns the source of a module that exports `texts` (by the keys of `english`) as `name`; it stands beside `en.ts`. */
export function packTexts(name: string, texts: Record<string, string>, english: Record<string, string>): string {
  const values = Object.keys(english).map((key) => texts[key]);
  return `import { en } from "./en";
const texts = ${JSON.stringify(values)};
export const ${name} = Object.fromEntries(Object.keys(en).map((key, index) => [key, texts[index]]));
`;
}
