import { DOMParser, type Document, type Element } from "@xmldom/xmldom";
import { describe, expect, test, vi } from "vitest";
import { formatNs, p999Of } from "../../../src/bench/format.js";
import { pageOf, pictureOf } from "../../../src/bench/page/page.js";
import type { BenchReport } from "../../../src/bench/report.js";
import {
  benchCase,
  benchReport,
  cancellation,
  distribution,
  emptyDistribution,
  growth,
  hardCancellation,
  hardCase,
} from "../reports.js";

const hostile = `<script>alert(1)</script>&"'\u0000\ud800]]>--><i>`;
const plain = "harmless";

/** With `text` wherever a report holds text from outside. */
function reportSaying(text: string): BenchReport {
  const { machine } = benchReport();
  const report = cancellation({ task: text, summary: [text, text] });
  return benchReport({
    date: text,
    lifeguard: text,
    machine: { ...machine, node: text, v8: text, platform: text, cpu: text },
    cases: [benchCase({ name: text, about: text, report }), benchCase({ name: `${text} again` })],
  });
}

const nothing = cancellation({
  samples: 0,
  isComplete: false,
  latency: {
    cancel: emptyDistribution,
    seen: emptyDistribution,
    stopped: emptyDistribution,
    settled: emptyDistribution,
    next: undefined,
  },
  polls: undefined,
  outcomes: { completed: 0, failed: 0, dropped: 0, stopped: 0, interrupted: 0, terminated: 0, crashed: 0 },
  timeline: undefined,
  summary: [],
});

const extreme = cancellation({
  latency: {
    cancel: distribution(5),
    seen: distribution(5),
    stopped: distribution(10e9),
    settled: distribution(10e9),
    next: distribution(0),
  },
  timeline: { returned: 0, seen: 5, stopped: 10e9, settled: 9e9, next: 11e9 },
});

const sameAlways = distribution(3_000, {
  n: 1,
  min: 3_000,
  p75: 3_000,
  p90: 3_000,
  p99: 3_000,
  p999: 3_000,
  max: 3_000,
  mean: 3_000,
  spread: [3_000, 3_000],
  curve: [[3_000, 100]],
});

const reports: readonly [name: string, report: BenchReport][] = [
  ["a whole report", benchReport()],
  ["no cases", benchReport({ cases: [] })],
  ["nothing at all", benchReport({ cases: [], growth: [] })],
  ["one case", benchReport({ cases: [benchCase()], growth: [] })],
  [
    "many cases",
    benchReport({ cases: Array.from({ length: 12 }, (_, i) => benchCase({ name: `case ${i}` })) }),
  ],
  ["one that never looked", benchReport({ cases: [hardCase()] })],
  [
    "no samples",
    benchReport({ cases: [benchCase({ report: nothing }), benchCase({ name: "2", report: nothing })] }),
  ],
  [
    "no samples of the bare primitives",
    benchReport({ cases: [benchCase({ bare: { seen: emptyDistribution, settled: emptyDistribution } })] }),
  ],
  ["5 ns and 10 s", benchReport({ cases: [benchCase({ report: extreme }), hardCase()] })],
  [
    "always the same",
    benchReport({
      cases: [
        benchCase({
          report: cancellation({
            latency: {
              cancel: sameAlways,
              seen: sameAlways,
              stopped: sameAlways,
              settled: sameAlways,
              next: sameAlways,
            },
            timeline: { returned: 0, seen: 0, stopped: 0, settled: 0, next: 0 },
          }),
        }),
      ],
    }),
  ],
  ["growth of one size", benchReport({ growth: [{ size: 1, submit: 0, cancel: 0, settled: 0 }] })],
  ["ended early", benchReport({ isComplete: false, growth: [], cases: [benchCase({ report: nothing })] })],
  ["hostile text", reportSaying(hostile)],
];

function parsed(text: string, type: "application/xhtml+xml" | "image/svg+xml"): Document {
  const onError = (level: string, message: string) => {
    // It stands for what no XML may contain.
    if (!message.startsWith("Unicode replacement character")) throw new Error(`${level}: ${message}`);
  };
  return new DOMParser({ onError }).parseFromString(text, type);
}

/** `make`, once for each report. */
function once<T>(make: (report: BenchReport) => T): (report: BenchReport) => T {
  const made = new Map<BenchReport, T>();
  return (report) => {
    const known = made.get(report) ?? make(report);
    made.set(report, known);
    return known;
  };
}

const page = once(pageOf);
const picture = once(pictureOf);
const documentOf = once((report) => parsed(page(report), "application/xhtml+xml"));
const pictureDocumentOf = once((report) => parsed(picture(report), "image/svg+xml"));
const all = (root: Document | Element, name: string): Element[] => [...root.getElementsByTagName(name)];
const textOf = (root: Document | Element): string =>
  (("documentElement" in root ? root.documentElement! : root).textContent ?? "").replace(/\s+/g, " ");
const withClass = (root: Document | Element, name: string) =>
  all(root, "*").filter((element) => element.getAttribute("class") === name);

/** The cells of the table's row that begins with `head`. */
function rowOf(root: Document | Element, label: string, head: string): string[] {
  const table = withClass(root, "scroll").find((each) => each.getAttribute("aria-label") === label)!;
  const row = all(table, "tr").find((each) => textOf(all(each, "th")[0]!) === head)!;
  return all(row, "td").map(textOf);
}

/** The chart whose label begins with `label`, drawn wide. */
function chartOf(root: Document, label: string): Element {
  return withClass(root, "wide")
    .flatMap((each) => all(each, "svg"))
    .find((svg) => svg.getAttribute("aria-label")!.startsWith(label))!;
}

/** The points of the path in `chart` that is drawn with `color`. Arcs are left out. */
function pointsOf(chart: Element, attribute: "stroke" | "fill", color: string): [x: number, y: number][] {
  const path = all(chart, "path").find((each) => each.getAttribute(attribute) === `var(--${color})`)!;
  return [...path.getAttribute("d")!.matchAll(/[ML]\s*([-\d.]+)[ ,]([-\d.]+)/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]);
}

describe.each(reports)("%s", (_, report) => {
  test("makes a page that is well-formed, and a picture that is", () => {
    const doc = documentOf(report);
    expect(doc.documentElement!.getAttribute("lang")).toBe("en");
    expect(textOf(all(doc, "title")[0]!)).toContain("lifeguard bench");
    expect(page(report)).toMatch(/^<!DOCTYPE html>\n/);
    const svg = pictureDocumentOf(report).documentElement!;
    expect(svg.namespaceURI).toBe("http://www.w3.org/2000/svg");
    expect(svg.getAttribute("viewBox")).toBe(
      `0 0 ${svg.getAttribute("width")} ${svg.getAttribute("height")}`,
    );
  });

  test("has every id once, and what refers to one finds it", () => {
    const doc = documentOf(report);
    const ids = all(doc, "*").flatMap((element) => element.getAttribute("id") ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    const links = all(doc, "a").map((a) => a.getAttribute("href")!.replace(/^#/, ""));
    const clips = [...page(report).matchAll(/ clip-path="url\(#([^)]*)\)"/g)].map(([, id]) => id);
    for (const id of [...links, ...clips]) expect(ids).toContain(id);
  });

  test("loads nothing and runs nothing", () => {
    for (const root of [documentOf(report), pictureDocumentOf(report)]) {
      for (const element of all(root, "*")) {
        expect([
          "script",
          "link",
          "img",
          "image",
          "iframe",
          "object",
          "embed",
          "use",
          "form",
          "base",
          "i",
        ]).not.toContain(element.localName);
        for (const { name, value } of [...element.attributes]) {
          expect(name).not.toMatch(/^on|src|^xlink/i);
          if (name === "href") expect(value).toMatch(/^#case-\d+$/);
        }
      }
      for (const style of all(root, "style")) expect(textOf(style)).not.toMatch(/@import|url\(/i);
    }
    expect(page(report)).not.toMatch(/https?:/);
    expect(page(report)).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />`,
    );
  });

  test("has no figure that is none, and no colour that is not defined", () => {
    for (const text of [page(report), picture(report)]) {
      expect(text).not.toMatch(/NaN|Infinity|undefined|\[object/);
      const defined = [...text.matchAll(/(--[\w-]+):/g)].map(([, name]) => name);
      for (const [, name] of text.matchAll(/var\((--[\w-]+)\)/g)) expect(defined).toContain(name);
    }
  });

  test("draws each chart twice, and says of each what it shows", () => {
    const doc = documentOf(report);
    const figures = all(doc, "figure");
    expect(withClass(doc, "wide").length).toBe(figures.length);
    expect(withClass(doc, "narrow").length).toBe(figures.length);
    for (const figure of figures) {
      const [wide, narrow, ...more] = all(figure, "svg");
      expect(more).toEqual([]);
      expect(wide!.getAttribute("viewBox")).toMatch(/^0 0 760 \d+$/);
      expect(narrow!.getAttribute("viewBox")).toMatch(/^0 0 340 \d+$/);
      for (const svg of [wide!, narrow!]) {
        expect(svg.getAttribute("role")).toBe("img");
        expect(svg.getAttribute("aria-label")).toMatch(/\w{3}/);
        for (const text of all(svg, "text")) expect(text.getAttribute("style")).toContain("font-size:14px");
      }
    }
  });
});

describe("text from outside stays text", () => {
  test("in the page and in the picture", () => {
    const shown = `<script>alert(1)</script>&"'\uFFFD\uFFFD]]>--><i>`;
    const page = documentOf(reportSaying(hostile));
    expect(all(page, "*").length).toBe(all(documentOf(reportSaying(plain)), "*").length);
    expect(all(page, "h2").map(textOf)).toContain(shown);
    const svg = pictureDocumentOf(reportSaying(hostile));
    expect(all(svg, "*").length).toBe(all(pictureDocumentOf(reportSaying(plain)), "*").length);
    expect(all(svg, "text").map(textOf).join(" ")).toContain("<script>alert(1)");
    expect(textOf(page).split(shown).length).toBeGreaterThanOrEqual(
      textOf(documentOf(reportSaying(plain))).split(plain).length - 6,
    );
  });

  test("in the label of a chart", () => {
    const page = documentOf(reportSaying(hostile));
    expect(chartOf(page, "From cancel() to settled").getAttribute("aria-label")).toContain(
      "<script>alert(1)</script>&\"'",
    );
  });

  test("with what looks like ECharts' own markup", () => {
    const name = ` class="zr0" id="zr0-c0" url(#zr0-c0) $& <style >x</style>`;
    const page = documentOf(benchReport({ cases: [benchCase({ name }), hardCase()] }));
    expect(all(page, "h2").map(textOf)).toContain(name);
    expect(chartOf(page, "From cancel() to settled").getAttribute("aria-label")).toContain(name.trim());
  });
});

describe("the figures", () => {
  test("of each moment are in the table of its case", () => {
    const [first, , hard] = benchReport().cases;
    const page = documentOf(benchReport());
    for (const each of [first!, hard!]) {
      const { latency } = each.report;
      const rows = {
        ...latency,
        ...(each.bare && { "bare flag": each.bare.seen, "bare message": each.bare.settled }),
      };
      for (const [moment, figures] of Object.entries(rows)) {
        const cells = rowOf(page, `Figures of ${each.name}`, moment);
        if (figures === undefined) {
          expect(cells).toEqual(["never looked"]);
          continue;
        }
        const { p50, p75, p90, p99, max, min, mean, n } = figures;
        const times = [
          ...[p50, p75, p90, p99].map(formatNs),
          p999Of(figures),
          ...[max, min, mean].map(formatNs),
        ];
        expect(cells.toSpliced(8, 1)).toEqual([...times, n.toLocaleString("en-US")]);
      }
    }
    expect(rowOf(page, `Figures of ${first!.name}`, "settled")[8]).toBe("21.9–25.5 µs");
  });

  test("that are not there are told apart: never looked, not measured, no samples", () => {
    const { latency } = cancellation();
    const report = cancellation({
      latency: { ...latency, seen: undefined, settled: emptyDistribution, next: undefined },
      polls: undefined,
    });
    const page = documentOf(benchReport({ cases: [benchCase({ name: "a", report })] }));
    const cells = (moment: string) => rowOf(page, "Figures of a", moment);
    expect([cells("seen"), cells("settled"), cells("next")]).toEqual([
      ["never looked"],
      ["no samples"],
      ["not measured"],
    ]);
    expect(textOf(page)).toContain(
      "polls per secondnot measuredlongest gapnot measuredmean waitnot measured",
    );
  });

  test("of the polls, the outcomes and the conditions are beside them", () => {
    const report = cancellation({
      tasks: 3,
      samples: 1_017,
      finishedFirst: 13,
      hard: 0.125,
      window: 7_000_000,
      duration: { ns: 1.5e9, atLeast: true },
      outcomes: { ...cancellation().outcomes, stopped: 900, terminated: 117 },
    });
    const pool = { threads: 4, spares: 1, grace: null, onOverrun: "interrupt" } as const;
    const text = textOf(documentOf(benchReport({ cases: [benchCase({ report, pool })] })));
    for (const fact of [
      "900 stopped, 117 terminated",
      "12.5%",
      "13 had ended by themselves",
      "4,180,000",
      "61.4 µs without a poll",
      "0.19 µs from a random moment",
      "1.5 s or more",
      "1,017 times, 3 at once, within 7 ms",
      "4 threads, 1 spare, no limit to the grace, on overrun interrupt",
      "countPrimes",
      ...report.summary,
    ])
      expect(text).toContain(fact);
  });

  test("are compared with the bare primitives, where there is something to compare", () => {
    expect(textOf(documentOf(benchReport()))).toContain(
      "seen 1.2× a bare flag in shared memory, settled 1.6× a bare message back",
    );
    const never = benchCase({ report: hardCancellation() });
    expect(textOf(documentOf(benchReport({ cases: [never] })))).toContain(
      "At p50: settled 16,900× a bare message back",
    );
  });

  test("of the machine, of measuring and of the growth are there", () => {
    const page = documentOf(benchReport());
    const text = textOf(page);
    for (const part of [
      "2026-01-31 12:34 UTC",
      "lifeguard 0.1.0",
      "Node 22.18.0",
      "12.4.254.21-node.27",
      "linux x64",
      "AMD EPYC 7763",
      "8 cores",
      "load 0.12",
      "43 ns",
      "2.6 ns",
      "58 ns",
    ])
      expect(text).toContain(part);
    const { machine } = benchReport();
    expect(textOf(documentOf(benchReport({ machine: { ...machine, cores: 1 } })))).toContain(" · 1 core · ");
    for (const { size, submit, cancel, settled } of growth)
      expect(rowOf(page, "Growth", size.toLocaleString("en-US"))).toEqual(
        [submit, cancel, settled, settled / size].map(formatNs),
      );
    expect(textOf(documentOf(benchReport({ growth: [] })))).not.toContain("Growth");
  });
});

describe("the facts of a case", () => {
  const factOf = (change: Parameters<typeof benchCase>[0], term: string): string => {
    const page = documentOf(benchReport({ cases: [benchCase(change)] }));
    const at = all(page, "dt").find((each) => textOf(each) === term)!;
    return textOf(at.nextSibling as Element);
  };

  test("say how long the task takes alone, or that it was not waited for", () => {
    const taking = (duration: { ns: number; atLeast: boolean }) =>
      factOf({ report: cancellation({ duration }) }, "alone it takes");
    expect(taking({ ns: 20e6, atLeast: false })).toBe("20 ms");
    expect(taking({ ns: 2.5e9, atLeast: true })).toBe("2.5 s or more");
  });

  test("say what the pool was like, also that a grace had no end", () => {
    const { pool } = benchCase();
    expect(factOf({ pool }, "pool")).toBe("2 threads, 1 spare, a grace of 250 ms, on overrun terminate");
    expect(factOf({ pool: { ...pool, threads: 1, spares: 0, grace: null } }, "pool")).toBe(
      "1 thread, 0 spares, no limit to the grace, on overrun terminate",
    );
  });
});

test("a case of which there is no sample says so in place of a chart", () => {
  const cases = [benchCase({ report: nothing, bare: undefined })];
  const page = documentOf(benchReport({ cases, growth: [] }));
  expect(all(page, "p").map(textOf)).toContain("No samples.");
  expect(all(page, "figure")).toEqual([]);
  expect(rowOf(page, "Figures of polls, one thread", "settled")).toEqual(["no samples"]);
  expect(textOf(documentOf(benchReport({ cases: [benchCase()] })))).not.toContain("No samples.");
});

describe("the notices", () => {
  const noticesOf = (report: BenchReport) => withClass(documentOf(report), "notice").map(textOf).join("; ");
  const { machine } = benchReport();

  test("are absent from a whole report of a quiet machine", () => {
    expect(noticesOf(benchReport({ machine: { ...machine, load: 0.5 } }))).toBe("");
  });

  test("say that a run, or a case, was ended early", () => {
    expect(noticesOf(benchReport({ isComplete: false }))).toContain("Ended early: figures so far");
    const early = benchCase({ report: cancellation({ isComplete: false }) });
    expect(noticesOf(benchReport({ cases: [early] }))).toContain("Ended early: figures so far");
    expect(pictureOf(benchReport({ isComplete: false }))).toContain("Ended early: figures so far");
    expect(pictureOf(benchReport())).not.toContain("Ended early");
  });

  test("say what else there is to say, as it is", () => {
    expect(noticesOf(benchReport({ remarks: ["The growth was not measured: <why>."] }))).toBe(
      "The growth was not measured: <why>.",
    );
  });

  test("say that the machine was not quiet", () => {
    expect(noticesOf(benchReport({ machine: { ...machine, load: 0.51 } }))).toContain("the load was 0.51");
  });
});

describe("the charts", () => {
  test("begin with an overview where there are several cases, linked to them", () => {
    const page = documentOf(benchReport());
    expect(all(page, "svg")[0]!.getAttribute("aria-label")).toBe(
      "From cancel() to settled, p50 and p99: polls, one thread, 23.6 µs and 123 µs; polls each millisecond, 541 µs and 2.81 ms; never polls, thread ended, 252 ms and 257 ms",
    );
    expect(all(page, "a").map((a) => a.getAttribute("href"))).toEqual(["#case-1", "#case-2", "#case-3"]);
    expect(rowOf(page, "Overview", "never polls, thread ended")).toEqual([
      "–",
      "251 ms",
      "252 ms",
      "250 ms",
      "100%",
      "40",
    ]);
    expect(textOf(documentOf(benchReport({ cases: [benchCase()] })))).not.toContain("Overview");
  });

  test("draw distributions over a logarithmic axis, each line named", () => {
    const { latency } = cancellation();
    const seen = distribution(1_000, {
      p50: 1_000,
      p99: 100_000,
      curve: [
        [100, 1],
        [1_000, 50],
        [10_000, 90],
        [100_000, 100],
      ],
    });
    const page = documentOf(
      benchReport({ cases: [benchCase({ report: cancellation({ latency: { ...latency, seen } }) })] }),
    );
    const chart = chartOf(page, "Share of cancellations");
    const points = pointsOf(chart, "stroke", "seen");
    const [[x0], [x1, y1], [x2, y2], [x3], [x4, y4]] = points as [
      [number, number],
      [number, number],
      [number, number],
      [number, number],
      [number, number],
    ];
    expect(x1).toBeCloseTo(x0, 0);
    expect(x2 - x1).toBeCloseTo(x3 - x2, 0);
    expect(x2 - x1).toBeCloseTo(x4 - x3, 0);
    const marks = all(chart, "path").filter((path) => path.getAttribute("fill") === "var(--seen)");
    const [p50, p99] = marks.map((path) =>
      /([-\d.]+),([-\d.]+)\)$/.exec(path.getAttribute("transform")!)!.slice(1).map(Number),
    );
    expect(p50![0]).toBeCloseTo(x2, 0);
    expect(p50![1]).toBeCloseTo(y2, 0);
    expect((p99![0]! - x3) / (x4 - x3)).toBeCloseTo(0.9, 1);
    expect((y1 - y2) / (y1 - y4)).toBeCloseTo(49 / 99, 1);
    expect(withClass(page, "legend").map(textOf)[0]).toBe(
      " seen 1 µs stopped 3.27 µs settled 23.6 µs next 8.45 µs bare flag 0.34 µs bare message back 14.9 µs",
    );
  });

  test("draw what grows in proportion along the line that does", () => {
    const proportional = growth.map((point) => ({ ...point, settled: point.size * 1_000 }));
    const chart = chartOf(
      documentOf(benchReport({ growth: proportional })),
      "Growth with the number of tasks",
    );
    expect(pointsOf(chart, "stroke", "settled")).toEqual(pointsOf(chart, "stroke", "bare"));
    const [first, , , , , last] = pointsOf(chart, "stroke", "cancel");
    expect(last![0]).toBeGreaterThan(first![0]);
    expect(last![1]).toBeLessThan(first![1]);
  });

  test("show one cancellation, every moment with its time, where it waited for another with the difference", () => {
    const chart = chartOf(documentOf(benchReport({ cases: [benchCase()] })), "One cancellation");
    expect(chart.getAttribute("aria-label")).toBe(
      "One cancellation: cancel() has returned: 1.71 µs; its result has settled: 23.4 µs (+20.2 µs); the task sees it: 0.43 µs; its function has ended: 3.19 µs (+2.76 µs); the next task has begun: 8.62 µs (+5.43 µs)",
    );
    const texts = all(chart, "text").map(textOf);
    for (const text of [
      "Main thread",
      "The task's thread",
      "the task sees it",
      "0.43 µs",
      "3.19 µs (+2.76 µs)",
      "8.62 µs (+5.43 µs)",
    ])
      expect(texts).toContain(text);
    const ends = (color: string) => {
      const xs = pointsOf(chart, "fill", color).map(([x]) => x);
      return [Math.min(...xs), Math.max(...xs)] as const;
    };
    // To the corners' roundness.
    expect(Math.abs(ends("stopped")[1] - ends("settled")[0])).toBeLessThan(4);
    expect(Math.abs(ends("stopped")[1] - ends("next")[0])).toBeLessThan(4);
    expect(ends("settled")[1]).toBeGreaterThan(ends("next")[1]);
  });

  test("show a task that never looked, and next tasks that began before the end was known", () => {
    const timeline = {
      returned: 2_000,
      seen: undefined,
      stopped: 251_000_000,
      settled: 251_060_000,
      next: 250_500_000,
    };
    const page = documentOf(benchReport({ cases: [hardCase({ report: hardCancellation({ timeline }) })] }));
    expect(chartOf(page, "One cancellation").getAttribute("aria-label")).toBe(
      "One cancellation: cancel() has returned: 2 µs; its result has settled: 251 ms (+60 µs); the task sees it: never looked; its function has ended: 251 ms; the next task has begun: 251 ms",
    );
  });
});

test("the picture has the cases, the machine, and colours for light and dark", () => {
  const svg = pictureDocumentOf(benchReport());
  const texts = all(svg, "text").map(textOf);
  for (const text of ["polls, one thread", "23.6–123 µs", "541 µs–2.81 ms", "252–257 ms"])
    expect(texts).toContain(text);
  expect(texts.join(" ")).toContain(
    "lifeguard 0.1.0, Node 22.18.0, AMD EPYC 7763 64-Core Processor, 2026-01-31",
  );
  expect(textOf(all(svg, "style")[0]!)).toContain("@media (prefers-color-scheme: dark)");
});

test("the same report makes the same page, whatever was drawn before", () => {
  expect(pageOf(benchReport())).toBe(pageOf(benchReport()));
  expect(pictureOf(benchReport())).toBe(pictureOf(benchReport()));
});

test("when the page is made nothing is left that keeps a process alive", () => {
  vi.useFakeTimers();
  try {
    pageOf(benchReport());
    vi.runOnlyPendingTimers();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});
