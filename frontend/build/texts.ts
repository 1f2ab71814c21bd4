/** Makes the texts small: the keys, which are the same in both languages, are written once. */

type Texts = Record<string, string>;

/** Returns the source of a module beside `en.ts` that exports texts as `name`: a list in the order of the English ones. */
export function packTexts(name: string, texts: Texts, english: Texts): string {
  const values = Object.keys(english).map((key) => texts[key]);
  return `import { en } from "./en";
const texts = ${JSON.stringify(values)};
export const ${name} = Object.fromEntries(Object.keys(en).map((key, index) => [key, texts[index]]));
`;
}
