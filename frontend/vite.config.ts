import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { squeezeTemplates } from "./build/templates.ts";
import { packTexts, shorten, shortNames } from "./build/texts.ts";
import { de } from "./src/texts/de.ts";
import { en } from "./src/texts/en.ts";

const SOURCE = join(import.meta.dirname, "src");

function namesOfTexts(): Map<string, string> {
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return shortNames(
    en,
    files.map((file) => readFileSync(join(SOURCE, file), "utf8")),
  );
}

let names = new Map<string, string>();

export default defineConfig({
  plugins: [
    {
      name: "squeeze-templates",
      apply: "build",
      enforce: "pre",
      transform: (code, id) => (/\/src\/.*\.ts$/.test(id) ? { code: squeezeTemplates(code), map: null } : undefined),
    },
    {
      name: "pack-texts",
      // Not while the source is watched: the texts here are those of the beginning.
      apply: ({ build }, { command }) => command === "build" && !build?.watch,
      enforce: "pre",
      buildStart: () => {
        names = namesOfTexts();
      },
      transform: (code, id) => {
        if (!/\/src\/.*\.ts$/.test(id)) return undefined;
        const german = id.endsWith("/src/texts/de.ts");
        return { code: german ? packTexts("de", de, en) : shorten(code, names), map: null };
      },
    },
  ],
  build: {
    // What Home Assistant's modern frontend supports.
    target: "es2022",
    modulePreload: false,
    outDir: "../custom_components/pv_load_manager/frontend",
    emptyOutDir: true,
    reportCompressedSize: false,
    rolldownOptions: {
      input: "src/index.ts",
      output: { format: "es", entryFileNames: "pv-load-manager.js", codeSplitting: false },
    },
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.ts"] },
});
