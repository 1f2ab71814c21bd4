import { defineConfig } from "vitest/config";

export default defineConfig({
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
