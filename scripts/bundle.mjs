// @ts-check
/**
 * Bundles src into dist, beside the declarations tsc has put there. Few files start fast: a thread loads four instead of
 * twenty (bench/start, docs/decisions/0007).
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rolldown } from "rolldown";

/** What both sides of a thread boundary load, in Node or a browser. */
const PROTOCOL =
  /src\/workers\/(carry|giving-up|grace|lane|notice-watch|probe|progress|shared-clock|stand-in|terms|thenable|transfer|values)\.ts/;

const bundle = await rolldown({
  input: {
    index: "src/index.ts",
    "context/index": "src/context/index.ts",
    "workers/index": "src/workers/index.ts",
    "workers/entry": "src/workers/entry.ts",
    "bench/index": "src/bench/index.ts",
    "bench/cli": "src/bench/cli.ts",
    "bench/tasks": "src/bench/tasks.ts",
    "bench/bare-worker": "src/bench/bare-worker.ts",
    "http/index": "src/http/index.ts",
    "comlink/index": "src/comlink/index.ts",
    "comlink/browser": "src/comlink/browser.ts",
    "comlink/actor-entry": "src/comlink/actor-entry.ts",
    "comlink/revive": "src/comlink/revive.ts",
  },
  external: [/^node:/, "piscina", "comlink", "./page/page.js"],
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
      { name: "protocol", test: PROTOCOL },
      { name: "comlink", test: /src\/comlink\/(?!(actor|callback|index|revive|spawn))/ },
      { name: "threads", test: /src\/pool\/(entry-file|insistence|thread-options)\.ts/ },
      { name: "actors", test: /src\/(comlink\/(actor\.|callback|spawn)|actor-url)/ },
      { name: "pool", test: /src\/(pool\/|entry-url)/ },
      { name: "bench", test: /src\/bench(-urls|\/(?!(bare-worker|cli|index|tasks)\.ts|page\/))/ },
    ],
  },
});
await bundle.close();

for (const { input, entry } of [
  { input: "workers/gate", entry: "./entry.js" },
  { input: "comlink/actor-gate", entry: "./actor-entry.js" },
]) {
  const gate = await rolldown({
    input: `src/${input}.cts`,
    external: [entry],
    platform: "node",
    onLog(level, log, report) {
      // It is taken for an ES module because of the type that it imports.
      if (log.code !== "COMMONJS_VARIABLE_IN_ESM") report(level, log);
    },
  });
  await gate.write({ file: `dist/${input}.cjs`, format: "cjs", sourcemap: true });
  await gate.close();
}

// The page of `lifeguard bench --html`, with ECharts inside: only who asks for it loads it, and nobody has to install it.
const page = await rolldown({
  input: "src/bench/page/page.ts",
  external: [/^node:/],
  platform: "node",
  tsconfig: "tsconfig.build.json",
});
const { output } = await page.write({
  file: "dist/bench/page/page.js",
  format: "es",
  minify: true,
  comments: false,
});
await page.close();
writeFileSync(
  "dist/bench/page/licenses.txt",
  licensesOf(output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []))),
);

/**
 * The licences and notices of the packages that `modules` are from: of those that are in a bundle, and no others.
 *
 * @param {string[]} modules - paths of files
 */
function licensesOf(modules) {
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const path of modules) {
    const [folder, name] = /^.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(path) ?? [];
    if (folder === undefined || name === undefined) continue;
    const { version } = /** @type {{ version: string }} */ (
      JSON.parse(readFileSync(`${folder}/package.json`, "utf8"))
    );
    const title = `${name} ${version}`;
    if (texts.has(title)) continue;
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile() && /^(?:LICEN[CS]E|NOTICE)/i.test(file.name))
      .map((file) => `${file.parentPath}/${file.name}`)
      .filter((file) => !file.slice(folder.length).includes("node_modules"))
      .sort();
    if (files.length === 0) throw new Error(`${folder}: no licence found`);
    const contents = files.map((file) => readFileSync(file, "utf8").trim());
    texts.set(title, [title, "=".repeat(title.length), ...contents].join("\n\n"));
  }
  return `page.js contains parts of these packages.\n\n${[...texts.values()].join("\n\n\n")}\n`;
}
