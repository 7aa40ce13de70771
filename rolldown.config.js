// @ts-check
// Few files start fast: a thread loads two or three instead of twenty (bench/start, docs/decisions/0007).
import { defineConfig } from "rolldown";

export default defineConfig({
  input: {
    index: "src/index.ts",
    "context/index": "src/context/index.ts",
    "workers/index": "src/workers/index.ts",
    "workers/entry": "src/workers/entry.ts",
  },
  external: [/^node:/, "piscina"],
  platform: "node",
  tsconfig: "tsconfig.build.json",
  output: {
    dir: "dist",
    format: "es",
    sourcemap: true,
    entryFileNames: "[name].js",
    // Beside index.js: `entry-url.ts` counts from there.
    chunkFileNames: "shared-[name].js",
    codeSplitting: {
      groups: [
        { name: "context", test: /src\/context\// },
        { name: "protocol", test: /src\/workers\/(carry|lane|progress|shared-clock|transfer)\.ts/ },
      ],
    },
  },
});
