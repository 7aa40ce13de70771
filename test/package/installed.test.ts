/**
 * The package as users get it: packed, installed into empty projects by npm, and used there in every way there is.
 * What a tarball must not have shows only here, and so does what it lacks.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../examples/run.js";

/** npm and the compiler, on a machine that may be slow. */
const timeout = 300_000;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** Every entry, and one thing that it exports. */
const entries = {
  lifeguard: "Pool",
  "lifeguard/context": "withCancel",
  "lifeguard/worker": "progress",
  "lifeguard/bench": "measureCancellation",
  "lifeguard/http": "requestContext",
  "lifeguard/comlink": "spawn",
};

let folder: string;
let packed: Packed;
/** A project without comlink, and one with it. */
let plain: string;
let full: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lifeguard-test-"));
  const { stdout } = await npm(root, "pack", "--ignore-scripts", "--json", "--pack-destination", folder);
  [packed] = JSON.parse(stdout) as [Packed];
  const tarball = join(folder, packed.filename);
  plain = await project("plain", tarball);
  // What a TypeScript project has besides, in the versions that are tested here.
  full = await project("full", tarball, await versioned("comlink"), await versioned("@types/node"));
  for (const each of [plain, full]) {
    await write(each, "tasks.mjs", tasks);
    await write(each, "main.mjs", main);
  }
}, timeout);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const tasks = `
  import { progress } from "lifeguard/worker";
  export function add(ctx, a, b) { progress(ctx, 0.5); return a + b; }
  export function spin(ctx) { for (;;) ctx.throwIfDone(); }
`;

/** A result, a cancellation of what is running, a hard stop of nothing, an end. */
const main = `
  import { background, isContextError, Pool, withCancel } from "lifeguard";
  const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads: 1, grace: Infinity });
  const task = pool.submit(background, "add", [1, 2]);
  console.log(await task.result, task.progress);
  const [ctx, cancel] = withCancel(background);
  const spinning = pool.submit(ctx, "spin", []);
  while (spinning.state !== "running") await new Promise((resolve) => setImmediate(resolve));
  cancel();
  await spinning.result.catch((error) => console.log(isContextError(error), error.message));
  await pool.close();
  console.log(pool.stats().outcomes.completed, pool.stats().outcomes.stopped + pool.stats().outcomes.dropped);
`;
const printed = "3 0.5\ntrue context canceled\n1 1\n";

function npm(cwd: string, ...args: readonly string[]) {
  return promisify(execFile)("npm", args, { cwd, timeout, shell: process.platform === "win32" });
}

async function write(project: string, file: string, text: string): Promise<string> {
  const path = join(project, file);
  await writeFile(path, text);
  return path;
}

/** An empty project with these installed. */
async function project(name: string, ...packages: readonly string[]): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  await write(path, "package.json", '{ "private": true }\n');
  await npm(path, "install", "--no-audit", "--no-fund", "--prefer-offline", ...packages);
  return path;
}

async function versioned(name: string): Promise<string> {
  const text = await readFile(join(root, "node_modules", name, "package.json"), "utf8");
  return `${name}@${(JSON.parse(text) as { version: string }).version}`;
}

interface Ended {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a file of the project with Node. */
async function node(project: string, ...args: readonly string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: project, timeout });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
}

const well = (stdout: string): Ended => ({ code: 0, stdout, stderr: "" });

describe("the tarball", () => {
  /** What may be in it. */
  const expected = [
    /^(?:package\.json|README\.md|LICENSE)$/,
    /^(?:SECURITY|CHANGELOG)\.md$/,
    /^src\/(?:[a-z-]+\/)*[a-z-]+\.c?ts$/,
    /^dist\/(?:[a-z-]+\/)*[a-z-]+\.d\.c?ts(?:\.map)?$/,
    /^dist\/(?:[a-z-]+\/)*[a-z-]+\.c?js(?:\.map)?$/,
    /^dist\/bench\/page\/licenses\.txt$/,
    /^docs\/(?:(?:api|decisions|figures)\/)?[a-z0-9.-]+\.md$/,
    /^docs\/figures\/[a-z-]+\.svg$/,
  ];

  test("has nothing that is not meant for users", () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => !expected.some((pattern) => pattern.test(path)))).toEqual([]);
    expect(paths).toEqual(expect.arrayContaining(["package.json", "README.md", "LICENSE", "dist/index.js"]));
  });

  test("is small: below a megabyte, and three and a half unpacked", () => {
    // More than a third of it is ECharts in the page of `lifeguard bench`, which nothing else loads.
    expect(packed.size).toBeLessThan(1_000_000);
    expect(packed.unpackedSize).toBeLessThan(3_500_000);
    expect(packed.size).toBeGreaterThan(100_000);
  });

  test("brings piscina along, and what that may have for a machine's processor", async () => {
    const lock = JSON.parse(await readFile(join(plain, "node_modules/.package-lock.json"), "utf8")) as {
      packages: object;
    };
    const names = Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, ""));
    expect(names.filter((name) => !name.startsWith("@napi-rs/nice")).sort()).toEqual([
      "lifeguard",
      "piscina",
    ]);
    expect(names.length).toBeLessThanOrEqual(5);
  });

  test("every file that package.json names is there", async () => {
    const base = join(plain, "node_modules/lifeguard");
    const { exports, bin } = JSON.parse(await readFile(join(base, "package.json"), "utf8")) as {
      exports: object;
      bin: object;
    };
    const named = JSON.stringify([exports, bin]).match(/\.\/[^"]+/g) ?? [];
    // The keys of `exports` look like files, too.
    const files = named.filter((path) => /\.\w+$/.test(path));
    expect(files.length).toBeGreaterThan(12);
    expect(files.filter((path) => !existsSync(join(base, path)))).toEqual([]);
  });

  test("a source map leads to sources that are there, and each built file has its own", async () => {
    const base = join(plain, "node_modules/lifeguard");
    const paths = packed.files.map(({ path }) => path);
    const maps = paths.filter((path) => path.endsWith(".map"));
    expect(maps.length).toBeGreaterThan(50);
    const sources = new Set<string>();
    for (const map of maps) {
      const text = await readFile(join(base, map), "utf8");
      for (const source of (JSON.parse(text) as { sources: string[] }).sources)
        sources.add(posix.normalize(posix.join(posix.dirname(map), source)));
    }
    expect([...sources].filter((source) => !paths.includes(source))).toEqual([]);
    for (const path of paths.filter((path) => /^dist\/.*\.c?js$/.test(path))) {
      const text = await readFile(join(base, path), "utf8");
      const named = /\/\/# sourceMappingURL=(.+)/.exec(text)?.[1];
      if (named !== undefined) expect(paths).toContain(posix.join(posix.dirname(path), named));
    }
  });
});

describe("installed", () => {
  test("these are all entries", async () => {
    const text = await readFile(join(plain, "node_modules/lifeguard/package.json"), "utf8");
    const { exports } = JSON.parse(text) as { exports: object };
    const names = Object.keys(exports).map((path) => path.replace(/^\./, "lifeguard"));
    expect(names.sort()).toEqual([...Object.keys(entries), "lifeguard/package.json"].sort());
  });

  const look = Object.entries(entries).map(([entry, name]) => `typeof (await load("${entry}")).${name}`);

  test("imported", { timeout }, async () => {
    await write(
      full,
      "import.mjs",
      `const load = (name) => import(name);\nconsole.log(${look.join(", ")});\n`,
    );
    expect(await node(full, "import.mjs")).toEqual(
      well("function function function function function function\n"),
    );
  });

  test("required, by CommonJS: without a warning, and the same things that are imported", {
    timeout,
  }, async () => {
    const same = Object.entries(entries).map(
      ([entry, name]) => `require("${entry}").${name} === (await import("${entry}")).${name}`,
    );
    await write(
      full,
      "require.cjs",
      `const load = require;\nvoid (async () => console.log(${[...look, ...same].join(", ")}))();\n`,
    );
    const types = Object.keys(entries).map(() => "function");
    const equal = Object.keys(entries).map(() => "true");
    expect(await node(full, "require.cjs")).toEqual(well(`${[...types, ...equal].join(" ")}\n`));
  });

  test("without comlink all but lifeguard/comlink loads, which says what it lacks", { timeout }, async () => {
    const script = `
      for (const entry of ${JSON.stringify(Object.keys(entries))})
        await import(entry).then(
          () => console.log(entry),
          (error) => console.log(entry, error.code, /'(\\w+)'/.exec(error.message)[1]),
        );
    `;
    await write(plain, "each.mjs", script);
    const lines = Object.keys(entries).map((entry) =>
      entry === "lifeguard/comlink" ? `${entry} ERR_MODULE_NOT_FOUND comlink` : entry,
    );
    expect(await node(plain, "each.mjs")).toEqual(well(`${lines.join("\n")}\n`));
  });

  test("used: a pool runs the project's tasks, one is cancelled, and it closes", { timeout }, async () => {
    expect(await node(plain, "main.mjs")).toEqual(well(printed));
  });

  test("used by CommonJS", { timeout }, async () => {
    const script = `
      const { background, Pool } = require("lifeguard");
      const { join } = require("node:path");
      const pool = new Pool(join(__dirname, "tasks.mjs"), { threads: 1 });
      pool.run(background, "add", 20, 3).then((sum) => { console.log(sum); return pool.close(); });
    `;
    await write(plain, "main.cjs", script);
    expect(await node(plain, "main.cjs")).toEqual(well("23\n"));
  });

  test("an actor", { timeout }, async () => {
    await write(full, "actor.mjs", "let n = 0;\nexport default { add: (by) => (n += by) };\n");
    const script = `
      import { background } from "lifeguard";
      import { spawn } from "lifeguard/comlink";
      const counter = await spawn(background, new URL("./actor.mjs", import.meta.url));
      await counter.add(2);
      console.log(await counter.add(3));
      await counter[Symbol.asyncDispose]();
    `;
    await write(full, "actors.mjs", script);
    expect(await node(full, "actors.mjs")).toEqual(well("5\n"));
  });

  test("a server", { timeout }, async () => {
    const script = `
      import { createServer } from "node:http";
      import { background, Pool } from "lifeguard";
      import { requestContext, respond } from "lifeguard/http";
      const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads: 1 });
      const server = createServer(async (req, res) => {
        const ctx = requestContext(background, req, res);
        const sum = await pool.run(ctx, "add", 4, 5);
        res.end(String(sum));
      });
      server.listen(0, "127.0.0.1", async () => {
        const answer = await fetch(\`http://127.0.0.1:\${server.address().port}/\`);
        console.log(answer.status, await answer.text(), typeof respond);
        server.close();
        server.closeAllConnections();
        await pool.close();
      });
    `;
    await write(plain, "server.mjs", script);
    expect(await node(plain, "server.mjs")).toEqual(well("200 9 function\n"));
  });

  test("the command is there, and tells its options", { timeout }, async () => {
    const bin = join(
      plain,
      "node_modules/.bin",
      process.platform === "win32" ? "lifeguard.cmd" : "lifeguard",
    );
    const run = promisify(execFile);
    const { stdout, stderr } = await run(bin, ["bench", "--help"], { cwd: plain, timeout, shell: true });
    expect(stderr).toBe("");
    expect(stdout).toContain("lifeguard bench");
    await expect(run(bin, ["bnech"], { cwd: plain, timeout, shell: true })).rejects.toMatchObject({
      stdout: "",
    });
  });
});

describe("bundled, by rolldown", () => {
  /** The project's files in one folder, with what is not external inside. */
  async function bundled(name: string, files: Record<string, string>, external: (string | RegExp)[]) {
    const bundle = await rolldown({
      cwd: full,
      input: files,
      platform: "node",
      external,
      logLevel: "silent",
    });
    const dir = join(full, name);
    const { output } = await bundle.write({
      dir,
      entryFileNames: "[name].mjs",
      chunkFileNames: "[name].mjs",
      format: "es",
    });
    await bundle.close();
    return { dir, code: output.map((file) => (file.type === "chunk" ? file.code : "")).join("\n") };
  }
  const files = { main: "main.mjs", tasks: "tasks.mjs" };

  test("with lifeguard and piscina external it runs", { timeout }, async () => {
    const { dir, code } = await bundled("external", files, [/^lifeguard(?:\/|$)/, "piscina"]);
    expect(code).toContain('from "lifeguard/worker"');
    expect(await node(full, join(dir, "main.mjs"))).toEqual(well(printed));
  });

  test("a task module may have lifeguard/worker inside", { timeout }, async () => {
    const { dir, code } = await bundled("inside", files, ["lifeguard", "piscina"]);
    expect(code).not.toContain("lifeguard/worker");
    expect(await node(full, join(dir, "main.mjs"))).toEqual(well(printed));
  });

  test.each([
    ["with piscina", []],
    ["without piscina", ["piscina"]],
  ])("with lifeguard inside, %s: an error that tells what to do", { timeout }, async (name, external) => {
    const { dir } = await bundled(name.replace(" ", "-"), files, external);
    await write(
      dir,
      "told.mjs",
      'await import("./main.mjs").catch((e) => console.log(e.code, e.message));\n',
    );
    const { stdout, stderr } = await node(full, join(dir, "told.mjs"));
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^ERR_TASK_MODULE Pool: there is no .*gate\.cjs, .* \(external\)\n$/);
  });

  test("with lifeguard/comlink inside: the same of an actor", { timeout }, async () => {
    await write(full, "actor.mjs", "export default class {}\n");
    const script = `
      import { background } from "lifeguard/context";
      import { spawn } from "lifeguard/comlink";
      await spawn(background, new URL("./actor.mjs", import.meta.url)).catch((e) => console.log(e.code, e.message));
    `;
    await write(full, "spawning.mjs", script);
    const { dir } = await bundled("actors", { main: "spawning.mjs", actor: "actor.mjs" }, []);
    const { stdout, stderr } = await node(full, join(dir, "main.mjs"));
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^ERR_ACTOR_MODULE spawn: there is no .*actor-gate\.cjs, .* \(external\)\n$/);
  });

  test("contexts and requests stand alone in a bundle", { timeout }, async () => {
    const script = `
      import { background, withCancel } from "lifeguard/context";
      import { traceId } from "lifeguard/http";
      const [ctx, cancel] = withCancel(background);
      cancel("gone");
      console.log(ctx.err().message, typeof traceId);
    `;
    await write(full, "contexts.mjs", script);
    const { dir, code } = await bundled("contexts", { main: "contexts.mjs" }, []);
    expect(code).not.toMatch(/from "lifeguard/);
    expect(await node(full, join(dir, "main.mjs"))).toEqual(well("context canceled function\n"));
  });
});

describe("the types, with skipLibCheck off", () => {
  const typed = `
    import { background, type Context, type Outcome, Pool, withTimeout } from "lifeguard";
    import { measureCancellation, type CancellationReport } from "lifeguard/bench";
    import { withCancel } from "lifeguard/context";
    import { requestContext, type RequestOptions } from "lifeguard/http";
    import { progress } from "lifeguard/worker";
    import type { IncomingMessage, ServerResponse } from "node:http";

    type Tasks = { add(ctx: Context, a: number, b: number): number };
    const pool = new Pool<Tasks>("/tasks.mjs", { threads: 1 });
    const sum: Promise<number> = pool.run(background, "add", 1, 2);
    // @ts-expect-error: no such task
    void pool.run(background, "subtract", 1, 2);
    const outcome: Outcome | undefined = pool.submit(withTimeout(background, 1)[0], "add", [1, 2]).outcome;
    const report: Promise<CancellationReport> = measureCancellation(pool, "add", [1, 2]);
    export function serve(req: IncomingMessage, res: ServerResponse, options: RequestOptions): Context {
      const ctx = requestContext(background, req, res, options);
      progress(ctx, 0.5);
      return withCancel(ctx)[0];
    }
    export { outcome, report, sum };
  `;
  /** By itself: comlink's own declarations want a page's library. */
  const typedActor = `
    import { background } from "lifeguard";
    import { type Actor, spawn } from "lifeguard/comlink";
    export const actor: Promise<Actor<{ n: number }>> = spawn(background, "/actor.mjs");
    // @ts-expect-error: nothing to call
    void actor.then(({ m }) => m);
  `;

  /** What the compiler says of the files, and which entries it has found. */
  async function checked(files: readonly string[], options: Record<string, unknown>) {
    const config = {
      compilerOptions: {
        strict: true,
        skipLibCheck: false,
        noEmit: true,
        types: ["node"],
        target: "es2023",
        ...options,
      },
      files,
    };
    const project = `tsconfig.${files[0]}.json`;
    await write(full, project, JSON.stringify(config));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { code, stdout } = await node(full, tsc, "-p", project, "--listFiles");
    const lines = stdout.split("\n");
    return {
      code,
      errors: lines.filter((line) => /error TS\d+/.test(line)),
      declared: lines.filter((line) => /node_modules\/lifeguard\/dist\/(?:\w+\/)?index\.d\.ts$/.test(line)),
    };
  }
  const lib = ["es2023", "es2024.sharedmemory", "esnext.disposable"];

  test.each([
    ["node16", "typed.mts", { module: "node16", moduleResolution: "node16" }],
    ["a bundler's", "typed.ts", { module: "esnext", moduleResolution: "bundler" }],
  ])("%s", { timeout }, async (_, file, options) => {
    await write(full, file, typed);
    const { code, errors, declared } = await checked([file], { ...options, lib });
    expect({ code, errors }).toEqual({ code: 0, errors: [] });
    expect(declared).toHaveLength(Object.keys(entries).length - 1);
  });

  // Under node16 TypeScript knows nothing of CommonJS that requires ES modules, as every Node does that we support.
  test("nodenext, CommonJS too, with lifeguard/comlink", { timeout }, async () => {
    const files = ["actor.mts", "actor.cts", "typed.cts"];
    for (const file of files) await write(full, file, file.startsWith("actor") ? typedActor : typed);
    const options = { module: "nodenext", moduleResolution: "nodenext", lib: [...lib, "dom"] };
    const { code, errors, declared } = await checked(files, options);
    expect({ code, errors }).toEqual({ code: 0, errors: [] });
    expect(declared).toHaveLength(Object.keys(entries).length);
  });

  test("a page finds its part of lifeguard/comlink, without Node's types", { timeout }, async () => {
    const page = `
      import { withCancel, background } from "lifeguard/context";
      import { wrap } from "lifeguard/comlink";
      // @ts-expect-error: a page starts no threads of Node's
      import { spawn } from "lifeguard/comlink";
      export const remote = wrap<{ n: number }>(new Worker("worker.js"));
      export { background, spawn, withCancel };
    `;
    await write(full, "browser.ts", page);
    const options = {
      module: "esnext",
      moduleResolution: "bundler",
      customConditions: ["browser"],
      types: [],
      lib: ["es2023", "es2024.sharedmemory", "esnext.disposable", "dom", "dom.iterable"],
    };
    const { code, errors } = await checked(["browser.ts"], options);
    expect({ code, errors }).toEqual({ code: 0, errors: [] });
  });
});
