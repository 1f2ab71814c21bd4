import { de } from "./de";
import { en } from "./en";

export type TextKey = keyof typeof en;
export type Texts = Record<TextKey, string>;
export type Text = (key: TextKey, placeholders?: Record<string, string | number>) => string;

const LANGUAGES: Record<string, Texts> = { en, de };

/** Returns the texts of a language, English where there are none; "de-CH" is German. */
export function textsOf(language: string | undefined): Text {
  const texts = LANGUAGES[(language ?? "en").split("-")[0] ?? "en"] ?? en;
  return (key, placeholders = {}) =>
    texts[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(placeholders[name] ?? whole));
}
