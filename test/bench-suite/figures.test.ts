import { expect, test } from "vitest";
import { Report, type Side } from "../../bench/support/report.mjs";
import { Recording } from "../../bench/support/results.mjs";
import { fill } from "../../scripts/figures/documents.mjs";
import { momentsOf, numberOf, picture } from "../../scripts/figures/picture.mjs";
import { besides, bySide, latency, misses, promises, table } from "../../scripts/figures/tables.mjs";

const times = (n: number, value: number) => Array.from({ length: n }, () => value);

/** Results of one suite with these rows. */
function resultsOf(
  suite: string,
  rows: readonly (readonly [what: string, sides: Side[], atMost?: number])[],
) {
  const recording = new Recording("npm run bench", { lifeguard: "1.0.0" });
  const result = recording.begin(suite, "about");
  result.status = "completed";
  const report = new Report(suite, (message) => {
    if (message.type === "row") result.rows.push(message.row);
  });
  for (const [what, sides, atMost] of rows)
    report.row(what, sides, atMost === undefined ? {} : { asked: [{ atMost }] });
  return recording.results(1);
}

const ours = (value: number): Side => ({ name: "lifeguard", samples: times(30, value) });
const theirs = (value: number): Side => ({ name: "piscina abort()", samples: times(30, value) });

const flag = (value: number): Side => ({ name: "bare flag + message back", samples: times(30, value) });

/** The cells of a line of a table, by how it begins. */
const cellsOf = (markdown: string, begin: string) =>
  markdown
    .split("\n")
    .find((line) => line.startsWith(`| ${begin}`))
    ?.slice(2, -2)
    .split(" | ");

test("what lies between the markers is replaced, the rest is left alone", () => {
  const document =
    "a\n<!-- figures:x -->\nold\n<!-- /figures:x -->\nb\n<!-- figures:y -->\n<!-- /figures:y -->\n";
  const once = fill(document, { x: "new $& $1", y: "more" });
  expect(once).toBe(
    "a\n<!-- figures:x -->\nnew $& $1\n<!-- /figures:x -->\nb\n<!-- figures:y -->\nmore\n<!-- /figures:y -->\n",
  );
  expect(fill(once, { x: "new $& $1", y: "more" })).toBe(once);
});

test("a marker without figures, figures without a marker and a marker without an end are errors", () => {
  const marked = "<!-- figures:x -->\n<!-- /figures:x -->\n";
  expect(() => fill(marked, {})).toThrow("no figures are called x");
  expect(() => fill(marked, { x: "", y: "" })).toThrow("no marker for the figures y");
  expect(() => fill("<!-- figures:x -->\nrest", { x: "" })).toThrow("has no end");
});

test("a bar in a cell does not end it", () => {
  expect(table(["a|b"], [["c"]])).toBe("| a\\|b |\n| --- |\n| c |");
});

test("ours stands beside the first of its peers that is there", () => {
  const results = resultsOf("capacity", [["what", [ours(1e3), theirs(4e3)]]]);
  const line = { suite: "capacity", what: "what", label: "label" };
  expect(cellsOf(besides(results, [{ ...line, over: ["Go ", "piscina"] }]), "label")).toEqual([
    "label",
    "1.00 µs (1.00 µs)",
    "4.00 × less than piscina abort() (4.00 to 4.00)",
  ]);
});

test("what a run does not have is said to be missing", () => {
  const line = { suite: "capacity", what: "other", label: "label", over: ["piscina"] };
  expect(cellsOf(besides(resultsOf("capacity", []), [line]), "label")).toEqual(["label", "not measured", ""]);
});

test("each demand is a line, reached or missed, and they are counted", () => {
  const results = resultsOf("seen", [
    ["fast", [ours(1)], 2],
    ["slow", [ours(3)], 2],
  ]);
  const text = promises(results);
  expect(cellsOf(text, "`seen` | fast")?.slice(1)).toEqual(["fast", "at most 2.00 ns", "1.00 ns", "reached"]);
  expect(cellsOf(text, "`seen` | slow")?.at(-1)).toBe("**missed**");
  expect(misses(results)).toBe("Of 2 demands this run reached 1 and missed 1.");
});

test("what the harness asks is asked of the machine: it is not among the demands", () => {
  const results = resultsOf("harness", [["noise", [ours(3)], 2]]);
  expect(promises(results)).not.toContain("noise");
  expect(misses(results)).toBe("Of 0 demands this run reached 0 and missed 0.");
});

test("a case of latency is one line, with its moments in order", () => {
  const results = resultsOf("latency", [
    ["a loop: cancel() to its promise settled", [ours(3e3), flag(1.5e3)]],
    ["a loop: cancel() to the task knowing", [ours(1e3), flag(500)]],
  ]);
  expect(cellsOf(latency(results), "a loop")).toEqual([
    "a loop",
    "1.00 µs (1.00 µs); 2.0 ×",
    "",
    "3.00 µs (3.00 µs); 2.0 ×",
    "",
  ]);
});

test("what stands in a line of latency is the ratio to the primitive, whoever else was measured, and in whatever order", () => {
  const signal: Side = {
    name: "a promise that an AbortSignal's listener rejects",
    samples: times(30, 500),
  };
  const running: Side = { name: "lifeguard, running", samples: times(30, 1e6) };
  const results = resultsOf("latency", [
    ["a queued task: cancel() to its promise settled", [ours(1e3), running, signal]],
    ["alone: cancel() to its promise settled", [ours(1e3), theirs(4e3)]],
  ]);
  const text = latency(results);
  expect(cellsOf(text, "a queued task")?.at(3)).toBe("1.00 µs (1.00 µs); 2.0 ×");
  expect(cellsOf(text, "alone")?.at(3)).toBe("1.00 µs (1.00 µs)");
});

test("a peer that did not finish has its reason in every column", () => {
  const lost = { name: "poolifier", samples: [], note: "not finished after 15 s" };
  const results = resultsOf("cancel", [
    ["x: settled", [ours(1e6), lost]],
    ["x: usable", [ours(2e6), lost]],
  ]);
  const text = bySide(results, "cancel", [
    { what: "x: settled", head: "settled", also: "p99" },
    { what: "x: usable", head: "usable" },
  ]);
  expect(cellsOf(text, "lifeguard")).toEqual(["lifeguard", "1.00 ms (1.00 ms)", "2.00 ms"]);
  expect(cellsOf(text, "poolifier")).toEqual(["poolifier", lost.note, lost.note]);
});

const cancelled = resultsOf("cancel", [
  ["a task that computes: cancel() to its promise settled", [ours(1e5), theirs(1e6)]],
  ["a task that computes: runs on after its promise has settled", [ours(0), theirs(5e6)]],
  ["a task that computes: cancel() to both threads usable again", [ours(2e5), theirs(4e7)]],
]);

test("in the picture the work stops when the promise settles, and later where it runs on", () => {
  const [first, second] = momentsOf(cancelled).map(({ at }) => at.map((pair) => pair?.[0]));
  expect(first).toEqual([0.1, 0.1, 0.2]);
  expect(second).toEqual([1, 6, 40]);
});

test("in the picture lifeguard is first, then whoever is usable first, and last who never is", () => {
  const peer = (name: string, value: number): Side => ({ name, samples: times(30, value) });
  const lost: Side = { name: "lost", samples: [], note: "not finished after 15 s" };
  const sides = [ours(9e6), peer("slow", 8e6), lost, peer("fast", 2e6)];
  const results = resultsOf("cancel", [
    ["a task that computes: cancel() to its promise settled", sides],
    ["a task that computes: cancel() to both threads usable again", sides],
  ]);
  expect(momentsOf(results).map(({ name }) => name)).toEqual(["lifeguard", "fast", "slow", "lost"]);
});

test("the picture names each side, and says in numbers when its threads are usable", () => {
  const svg = picture(cancelled);
  expect(svg).toMatch(/^<svg [^>]*>\n<title>/);
  for (const text of ["lifeguard", "piscina abort()", "both threads are usable again"])
    expect(svg).toContain(text);
  expect(svg).toContain(">200 µs</text>");
  expect(svg).toContain(">40 ms</text>");
  expect(svg).not.toMatch(/NaN|undefined/);
});

test("its colours are there without a style sheet, and each has another one for the dark", () => {
  const [, sheet = "", drawn = ""] = /<style>([\s\S]*?)<\/style>([\s\S]*)/.exec(picture(cancelled)) ?? [];
  expect(sheet).toContain("prefers-color-scheme: dark");
  expect(drawn).not.toContain("var(");
  const used = new Set([...drawn.matchAll(/ ((?:fill|stroke)="#\w+")/g)].map(([, each]) => each));
  // The lines are drawn by their stroke alone: text, axis, three moments.
  expect(used.size).toBeGreaterThanOrEqual(5);
  for (const each of used) expect(sheet).toContain(`[${each}]`);
});

test("a number in the picture has two digits", () => {
  expect([0.0123, 0.999, 1.05, 5.94, 33.5, 120, 999.6, 2510].map(numberOf)).toEqual([
    "12 µs",
    "1.0 ms",
    "1.1 ms",
    "5.9 ms",
    "34 ms",
    "120 ms",
    "1.0 s",
    "2.5 s",
  ]);
});
