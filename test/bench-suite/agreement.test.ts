/** Whether two runs of the suites agree. */
import { expect, test } from "vitest";
import { agreementsOf, printAgreement } from "../../bench/support/agreement.mjs";
import { Recording, type Results } from "../../bench/support/results.mjs";

/** A run with one row, in which lifeguard takes so many times what piscina does. */
function run(value: number, spread: number, what = "a row"): Results {
  const ratios = [
    { of: "lifeguard", over: "piscina", value, low: value * (1 - spread), high: value * (1 + spread) },
    { of: "lifeguard", over: "Go as noted", value: 3 },
  ];
  const row = { what, unit: "ns", isSpread: false, sides: [], ratios, verdicts: [] };
  return {
    ...new Recording("npm run bench", {}).results(1),
    suites: [{ name: "seen", rows: [row] }],
  } as unknown as Results;
}

test("a tenth more or less agrees; what was only noted is not compared", () => {
  expect(agreementsOf(run(1, 0.2), run(1.09, 0.2))).toEqual([
    {
      what: "seen: a row",
      over: "piscina",
      before: 1,
      after: 1.09,
      change: expect.closeTo(0.09) as number,
      agrees: true,
      overlaps: true,
    },
  ]);
  expect(agreementsOf(run(1, 0.2), run(1.2, 0.2))[0]).toMatchObject({ agrees: false, overlaps: true });
  expect(agreementsOf(run(1, 0.01), run(0.8, 0.01))[0]).toMatchObject({ agrees: false, overlaps: false });
  expect(agreementsOf(run(1, 0.01), run(1, 0.01, "another row"))).toEqual([]);
});

test("the text tells how many, and the worst first", () => {
  expect(printAgreement(run(1, 0.01), run(1.5, 0.01))).toBe(
    "0 of 1 ratios at p50 agree within 10 %, the spreads of 0 overlap\n +50 %  1.00 then 1.50 × piscina, beyond the spreads: seen: a row",
  );
  expect(printAgreement(run(1, 0.01), run(1, 0.01, "another row"))).toMatch(/no ratio in common/);
});
