/** The process around the library: what it opens and runs, how it goes with Node's own restrictions, and what its commands print and write. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { comparisonText, readReport } from "../../src/bench/compare.js";
import { write } from "../../src/bench/files.js";
import { pageOf } from "../../src/bench/page/page.js";
import { printable } from "../../src/bench/print.js";
import { benchCase, benchReport } from "../bench/reports.js";
import { startExplorer } from "../examples/explorer-server.js";
import { root } from "../examples/run.js";
import { runScript } from "../support/child.js";

const hardStop = (onOverrun: string, after = "") => `
  import { pathToFileURL } from "node:url";
  import { background, Pool, withCancel } from "lifeguard";
  const module = new URL("test/fixtures/hostile.mjs", pathToFileURL(process.cwd() + "/"));
  const pool = new Pool(module, { threads: 1, spares: 0, grace: 0, onOverrun: "${onOverrun}" });
  const gate = new Int32Array(new SharedArrayBuffer(64));
  const [ctx, cancel] = withCancel(background);
  const task = pool.submit(ctx, "stubborn", [gate]);
  while (Atomics.load(gate, 0) === 0) await new Promise(setImmediate);
  cancel(new Error("enough"));
  await task.result.catch(() => {});
  console.log(task.outcome, JSON.stringify(await pool.run(background, "object")));
  ${after}
  await pool.destroy();
`;
const permission = process.allowedNodeEnvironmentFlags.has("--permission")
  ? "--permission"
  : "--experimental-permission";

test("interrupting cannot open a port", async () => {
  const { stdout } = await runScript(
    hardStop(
      "interrupt",
      `
    const inspector = await import("node:inspector");
    console.log(inspector.url(), process.getActiveResourcesInfo().filter((each) => /TCP|Server/.test(each)).length);
  `,
    ),
  );
  expect(stdout).toBe('interrupted {"a":1}\nundefined 0\n');
});

test.each([
  ["--disallow-code-generation-from-strings", "interrupt", "interrupted"],
  ["--frozen-intrinsics", "terminate", "terminated"],
  ["--frozen-intrinsics", "interrupt", "interrupted"],
])("Node's %s cannot break a pool (%s)", async (flag, onOverrun, outcome) => {
  const { stdout, code } = await runScript(hardStop(onOverrun), [flag]);
  expect(stdout).toBe(`${outcome} {"a":1}\n`);
  expect(code).toBe(0);
});

test("a pool cannot start without Node's permission for workers, and wants no other but to read files", async () => {
  const read = [permission, "--allow-fs-read=*"];
  const refused = await runScript(hardStop("terminate"), read);
  expect(refused.stderr).toContain("ERR_INVALID_ARG");
  const allowed = await runScript(hardStop("terminate"), [...read, "--allow-worker"]);
  expect(allowed.stdout).toBe('terminated {"a":1}\n');
});

test("what is shipped cannot make code of text, and installing it runs nothing", () => {
  const files = readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.c?js$/.test(name),
  );
  expect(files.length).toBeGreaterThan(10);
  for (const name of files) {
    const code = readFileSync(join(root, "dist", name), "utf8");
    expect(
      code.match(
        /\beval\s*\(|\bnew Function\b|\bnode:vm\b|\bhttps?:\/\/[^\s"'`]*\.(?:js|mjs|wasm|node)\b/g,
      ) ?? [],
      name,
    ).toEqual([]);
  }
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<
    string,
    Record<string, string>
  >;
  expect(Object.keys(own.dependencies ?? {})).toEqual(["piscina"]);
  for (const name of ["preinstall", "install", "postinstall", "prepare"])
    expect(own.scripts).not.toHaveProperty(name);
});

const orders = "\u001b]0;owned\u0007\u001b[31m\u009b\r<script>alert(1)</script>\"'";

test("names in a report cannot be markup on its page", () => {
  const page = pageOf(benchReport({ date: orders, cases: [benchCase({ name: orders, about: orders })] }));
  expect(page).not.toContain("<script");
  expect(page).toContain("&lt;script&gt;");
});

test("what a file of --compare holds cannot give orders to the terminal, or end in anything but an error", () => {
  const report = benchReport({ date: orders, cases: [benchCase({ name: orders })] });
  const text = printable(comparisonText(report, report));
  expect(text).toContain("owned");
  expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  const folder = mkdtempSync(join(tmpdir(), "lifeguard-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "report.json");
  const { cases, ...head } = JSON.parse(JSON.stringify(report)) as { cases: object[] };
  for (const junk of ["", "null", "5", "{", '{"__proto__": {"format": "lifeguard-bench", "version": 1}}']) {
    writeFileSync(file, junk);
    expect(() => readReport(file)).toThrow(file);
  }
  for (const junk of [[null], [5], [{}], [{ ...cases[0], bare: null }], [{ ...cases[0], report: null }]]) {
    writeFileSync(file, JSON.stringify({ ...head, cases: junk }));
    expect(() => readReport(file)).toThrow("something in it is missing");
  }
});

test("a report cannot be led elsewhere by a link that somebody has put there: its draft has a name nobody knows", () => {
  const folder = mkdtempSync(join(tmpdir(), "lifeguard-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "report.json");
  write(file, "one");
  const victim = join(folder, "victim");
  writeFileSync(`${file}.${process.pid}.tmp`, "somebody's");
  write(file, "two");
  expect(readFileSync(file, "utf8")).toBe("two");
  expect(readFileSync(`${file}.${process.pid}.tmp`, "utf8")).toBe("somebody's");
  expect(readdirSync(folder)).not.toContain(victim);
});

test("the explorer cannot be reached from elsewhere, and serves no file but its page's", {
  timeout: 60_000,
}, async () => {
  const explorer = await startExplorer();
  onTestFinished(() => explorer.end("SIGTERM").then(() => {}));
  expect(new URL(explorer.url).hostname).toBe("127.0.0.1");
  for (const path of ["..%2fserver.mjs", "%2e%2e/server.mjs", "server.mjs", "/etc/passwd", "<script>"]) {
    const response = await fetch(`${explorer.url}${path}`);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe("there is no such page");
    expect(response.headers.get("content-type")).toContain("text/plain");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  }
});
