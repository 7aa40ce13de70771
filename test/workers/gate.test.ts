/** The one file of a thread that is required. */
import { background } from "lifeguard";
import { expect, test } from "vitest";
import { pooled } from "../support/pool.js";

test("piscina requires no ES module, in the midst of which V8 cannot end a thread", async () => {
  const pool = pooled({ threads: 1 });
  const required = (await pool.run(background, "required")) as { file: string; isEsm: boolean }[];
  expect(required.map(({ file }) => file).filter((file) => file.endsWith("gate.cjs"))).toHaveLength(1);
  expect(required.filter(({ isEsm }) => isEsm)).toEqual([]);
});
