/** Two reports beside each other: what has changed, and whether that is more than the spread. */
import { readFileSync } from "node:fs";
import { formatNs } from "./format.js";
import { machineText, table } from "./print.js";
import type { BenchReport, Case, Distribution } from "./report.js";

export interface Change {
  readonly name: string;
  readonly figure: string;
  readonly before: Distribution;
  readonly after: Distribution;
  /** p50 after over p50 before. */
  readonly ratio: number;
  /** `same`: the medians of the parts of both runs overlap. */
  readonly verdict: "same" | "faster" | "slower";
}

/**
 * Reads a file that `--json` has written.
 *
 * @throws Error that says what is wrong with it
 */
export function readReport(file: string): BenchReport {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`${file}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file}: is no JSON`, { cause });
  }
  const { format, version, machine, cases } = (value ?? {}) as Partial<Record<keyof BenchReport, unknown>>;
  const expected = `${file}: expected what \`lifeguard bench --json\` writes`;
  if (format !== "lifeguard-bench") throw new Error(expected);
  if (version !== 1) throw new Error(`${file}: expected version 1 of the format, got ${String(version)}`);
  if (typeof machine !== "object" || machine === null || !Array.isArray(cases) || !areCases(cases))
    throw new Error(`${expected}: something in it is missing`);
  return value as BenchReport;
}

function areCases(cases: readonly unknown[]): boolean {
  try {
    return cases.every((each) => isCase(each as Partial<Case> | null));
  } catch {
    return false; // One with null where an object belongs, say.
  }
}

/** As far as is looked at here. */
function isCase(value: Partial<Case> | null): boolean {
  const latency = value?.report?.latency;
  if (value?.pool === undefined || latency === undefined) return false;
  const { seen, stopped, settled, next } = latency as Partial<typeof latency>;
  const isThere = (each: Partial<Distribution> | undefined): boolean =>
    typeof each?.p50 === "number" && typeof each.p99 === "number" && Array.isArray(each.spread);
  const bare = value.bare === undefined ? [] : [value.bare.seen, value.bare.settled];
  const maybe = [seen, next].filter((each) => each !== undefined);
  return [stopped, settled, ...maybe, ...bare].every(isThere);
}

/** The figures that both have, in the order of the second one. */
export function changesBetween(before: BenchReport, after: BenchReport): Change[] {
  return after.cases.flatMap((each) => {
    const old = before.cases.find(({ name }) => name === each.name);
    return old === undefined ? [] : changesOf(old, each);
  });
}

function changesOf(old: Case, each: Case): Change[] {
  return (["seen", "stopped", "settled", "next"] as const).flatMap((figure) => {
    const before = old.report.latency[figure];
    const after = each.report.latency[figure];
    return before === undefined || after === undefined ? [] : [changeOf(each.name, figure, before, after)];
  });
}

function changeOf(name: string, figure: string, before: Distribution, after: Distribution): Change {
  const overlap = before.spread[0] <= after.spread[1] && after.spread[0] <= before.spread[1];
  const ratio = after.p50 / before.p50;
  return { name, figure, before, after, ratio, verdict: overlap ? "same" : ratio > 1 ? "slower" : "faster" };
}

export function comparisonText(before: BenchReport, after: BenchReport): string {
  const lines = [
    `before: ${before.date}, lifeguard ${before.lifeguard}, ${machineText(before.machine)}`,
    `after:  ${after.date}, lifeguard ${after.lifeguard}, ${machineText(after.machine)}`,
  ];
  const isSame = before.machine.cpu === after.machine.cpu && before.machine.node === after.machine.node;
  if (!isSame) lines.push("Not the same machine or Node: only the ratios to the bare flag can be compared.");
  lines.push(...otherConditions(before, after));
  const changes = changesBetween(before, after);
  if (changes.length === 0) return `${[...lines, "", "They have no case in common."].join("\n")}\n`;
  const rows = changes.map(({ name, figure, before, after, ratio, verdict }) => [
    `${name}: ${figure}`,
    formatNs(before.p50),
    formatNs(after.p50),
    `${ratio.toFixed(2)}×`,
    formatNs(before.p99),
    formatNs(after.p99),
    isSame ? verdict : "",
  ]);
  lines.push("", ...table([["", "p50 before", "after", "ratio", "p99 before", "after", ""], ...rows]));
  const ratios = ratiosOf(before, after);
  if (ratios.length > 0)
    lines.push(
      "",
      ...table([["over the bare flag and message, p50", "before", "after", "change"], ...ratios]),
    );
  lines.push("", '"same": the spreads of p50 over the two runs overlap.');
  return `${lines.join("\n")}\n`;
}

/** Cases that have the same name, and were not measured in the same way. */
function otherConditions(before: BenchReport, after: BenchReport): string[] {
  return after.cases.flatMap((each) => {
    const old = before.cases.find(({ name }) => name === each.name);
    if (old === undefined) return [];
    const [was, is] = [old, each].map(({ args, pool, report }) =>
      JSON.stringify({ args, tasks: report.tasks, ...pool }),
    );
    return was === is ? [] : [`${each.name}: not measured in the same way: ${was} before, ${is} after`];
  });
}

function ratiosOf(before: BenchReport, after: BenchReport): string[][] {
  return after.cases.flatMap(({ name, report, bare }) => {
    const old = before.cases.find((each) => each.name === name);
    if (old?.bare === undefined || bare === undefined) return [];
    return (["seen", "settled"] as const).flatMap((figure) => {
      const was = old.report.latency[figure];
      const is = report.latency[figure];
      if (was === undefined || is === undefined || old.bare === undefined) return [];
      const a = was.p50 / old.bare[figure].p50;
      const b = is.p50 / bare[figure].p50;
      const change = 100 * (b / a - 1);
      return [
        [
          `${name}: ${figure}`,
          `${a.toFixed(2)}×`,
          `${b.toFixed(2)}×`,
          `${change > 0 ? "+" : ""}${change.toFixed(0)} %`,
        ],
      ];
    });
  });
}
