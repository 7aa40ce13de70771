// @ts-check
/** What has come of it: for people, for a page, for programs. */
import { cpus, platform, release, totalmem } from "node:os";
import { median } from "../../bench/support/stats.mjs";
import { growth } from "./quiet.mjs";

/** @typedef {import("./soak.mjs").Soak} Soak */
/** @typedef {import("./watch.mjs").Sample} Sample */

/**
 * @typedef {object} Facts
 * @property {import("./options.mjs").Options} options
 * @property {readonly Sample[]} samples
 * @property {import("node:perf_hooks").IntervalHistogram} delay of the event loop
 * @property {boolean} isInterrupted
 */

/** @typedef {ReturnType<typeof reportOf>} Report */

const WATCHED = /** @type {const} */ ([
  ["heap", "heap after collection", "bytes"],
  ["external", "external memory", "bytes"],
  ["arrayBuffers", "array buffers", "bytes"],
  ["rss", "resident memory", "bytes"],
  ["threads", "threads", "count"],
  ["handles", "handles", "count"],
  ["fds", "file descriptors", "count"],
  ["modules", "files of modules left open by Node", "count"],
  ["listeners", "listeners", "count"],
  ["contexts", "contexts let go and held", "count"],
]);

/** @param {Soak} soak @param {Facts} facts */
export function reportOf(soak, { options, samples, delay, isInterrupted }) {
  const ms = (/** @type {number} */ ns) => Math.round(ns / 1e4) / 100;
  return {
    seed: options.seed,
    minutes: Math.round((performance.now() - soak.startedAt) / 600) / 100,
    asked: options.minutes,
    only: options.only,
    isInterrupted,
    machine: {
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
      memory: totalmem(),
      system: `${platform()} ${release()}`,
      node: process.version,
    },
    counts: { ...soak.counts },
    outcomes: Object.fromEntries([...soak.outcomes].sort(([a], [b]) => a.localeCompare(b))),
    quietPoints: samples.length,
    watched: WATCHED.map(([key, what, unit]) => ({ key, what, unit, ...summary(samples, key) })),
    delay: { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max) },
    broken: soak.broken === undefined ? [] : [soak.broken],
    ...(soak.broken && { events: soak.events() }),
    samples,
  };
}

/** @param {readonly Sample[]} samples @param {(typeof WATCHED)[number][0]} key */
function summary(samples, key) {
  const values = samples.map((sample) => sample[key]);
  const grown =
    key === "heap" || key === "external" || key === "arrayBuffers" || key === "rss"
      ? growth(samples, key)
      : undefined;
  return {
    first: values[0] ?? 0,
    min: Math.min(...values),
    median: values.length === 0 ? 0 : median(values),
    max: Math.max(...values),
    last: values.at(-1) ?? 0,
    ...(grown && {
      perHour: Math.round((grown.bytes / grown.seconds) * 3600),
      perMillionTasks: Math.round((grown.bytes / grown.tasks) * 1e6),
    }),
  };
}

/** @param {Report} report */
export function markdown(report) {
  const { machine, counts, delay } = report;
  const kinds = [...new Set(Object.values(report.outcomes).flatMap((each) => Object.keys(each)))];
  const number = (/** @type {number} */ value) => value.toLocaleString("en");
  return [
    `Node ${machine.node.slice(1)}, ${machine.cpu}, ${String(machine.cores)} cores, ${machine.system}. Seed \`${report.seed}\`, ${String(report.minutes)} minutes${report.isInterrupted ? ", ended by Ctrl-C" : ""}.`,
    "",
    `**Broken invariants: ${String(report.broken.length)}**${report.broken.map(({ invariant, details }) => `. ${invariant}: ${details}`).join("")}`,
    "",
    table(
      ["", "count"],
      [
        ["tasks", number(counts.tasks)],
        ["batches", number(counts.batches)],
        ["groups", number(counts.groups)],
        ["HTTP requests", number(counts.requests)],
        ["of these, clients who left", number(counts.left)],
        ["actors", number(counts.actors)],
        ["calls of actors", number(counts.calls)],
        ["pools", number(counts.pools)],
        ["contexts", number(counts.contexts)],
        ["cancellations", number(counts.cancellations)],
        ["hard stops", number(counts.hardStops)],
        ["crashes", number(counts.crashes)],
        ["times the main thread was blocked", number(counts.blocks)],
        ["quiet points", number(report.quietPoints)],
      ],
    ),
    "",
    table(
      ["at quiet points", "first", "min", "median", "max", "last", "an hour", "a million tasks"],
      report.watched.map((each) => {
        const as = (/** @type {number | undefined} */ value) =>
          value === undefined || !Number.isFinite(value)
            ? ""
            : each.unit === "bytes"
              ? `${(value / 1e6).toFixed(1)} MB`
              : String(value);
        return [
          each.what,
          as(each.first),
          as(each.min),
          as(each.median),
          as(each.max),
          as(each.last),
          as(each.perHour),
          as(each.perMillionTasks),
        ];
      }),
    ),
    "",
    `Event-loop delay, the soak's own blocking included: p50 ${String(delay.p50)} ms, p99 ${String(delay.p99)} ms, max ${String(delay.max)} ms.`,
    "",
    table(
      ["", ...kinds],
      Object.entries(report.outcomes).map(([kind, outcomes]) => [
        kind,
        ...kinds.map((end) => (outcomes[end] === undefined ? "" : number(outcomes[end]))),
      ]),
    ),
    "",
  ].join("\n");
}

/** As Markdown, and straight enough to be read as it is. @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
function table(head, rows) {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** Why it has ended: what broke, with which seed, and what had happened. @param {Report} report */
export function brokenText({ broken, seed, events = [] }) {
  const [first] = broken;
  if (first === undefined) return "";
  return [
    "What happened before:",
    ...events.slice(-60).map(({ at, text }) => `    ${(at / 1000).toFixed(3)} s  ${text}`),
    "",
    `Broken invariant: ${first.invariant}`,
    `    ${first.details}`,
    `    after ${(first.at / 1000).toFixed(1)} s, seed ${seed}`,
    "",
  ].join("\n");
}
