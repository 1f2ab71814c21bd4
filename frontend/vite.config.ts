import { defineConfig } from "vitest/config";
import { squeezeTemplates } from "./build/templates.ts";
import { packTexts } from "./build/texts.ts";
import { de } from "./src/texts/de.ts";
import { en } from "./src/texts/en.ts";

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
      transform: (_code, id) =>
        id.endsWith("/src/texts/de.ts") ? { code: packTexts("de", de, en), map: null } : undefined,
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
