// @ts-check
/**
 * Bundles src into dist, beside the declarations tsc has put there. Few files start fast: a thread loads four instead of
 * twenty (bench/start, docs/decisions/0007).
 */
import { rolldown } from "rolldown";

const bundle = await rolldown({
  input: {
    index: "src/index.ts",
    "context/index": "src/context/index.ts",
    "workers/index": "src/workers/index.ts",
    "workers/entry": "src/workers/entry.ts",
  },
  external: [/^node:/, "piscina"],
  platform: "node",
  tsconfig: "tsconfig.build.json",
});
await bundle.write({
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
});
await bundle.close();

const gate = await rolldown({ input: "src/workers/gate.cts", external: ["./entry.js"], platform: "node" });
await gate.write({ file: "dist/workers/gate.cjs", format: "cjs", sourcemap: true });
await gate.close();
