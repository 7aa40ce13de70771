/**
 * Random programs, run with Go's own contexts and errgroup and with ours: everything that can be seen is the same. What a
 * program is, and why it has only one right trace: program.mjs. `npm run against-go` runs more of them.
 */
import * as lifeguard from "lifeguard/context";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compare, smallestOf } from "./agreement.mjs";
import { Theirs } from "./theirs.mjs";
import { findGo } from "./toolchain.mjs";

// Go is there in CI; elsewhere these are skipped where it is not.
const isRequired = process.env.LIFEGUARD_REQUIRE_GO === "1";
const missing = await findGo().then(
  () => undefined,
  (error: unknown) => error,
);

/** Building takes a minute where Go's standard library has not been built before. */
const BUILD = 600_000;

describe.skipIf(missing !== undefined && !isRequired)("against Go", () => {
  let theirs: Theirs | undefined;
  beforeAll(async () => {
    ({ theirs } = await Theirs.start());
  }, BUILD);
  afterAll(() => theirs?.close());

  async function agree(programs: number, seed: number): Promise<void> {
    if (theirs === undefined) expect.unreachable("Go's side has not been started");
    const { steps, differences } = await compare(lifeguard, theirs, { programs, seed });
    if (differences.length > 0) {
      const { text } = await smallestOf(lifeguard, theirs, differences);
      expect.fail(`${String(differences.length)} of ${String(programs)} programs differ. ${text}`);
    }
    expect(steps).toBeGreaterThan(10 * programs);
  }

  test("a thousand programs have the same traces", { timeout: BUILD }, () => agree(1000, 1));

  test("and so have some that nobody has seen before", { timeout: BUILD }, () =>
    agree(200, Math.floor(Math.random() * 2 ** 31)),
  );
});
