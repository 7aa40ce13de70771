// @ts-check
/** Tasks that do nothing: what the pools themselves cost, a task at a time and in batches. */
import { collectGarbage } from "../../support/sampling.mjs";
import { inPlainChunks } from "../support/chunks.mjs";
import { chunksOfPeers, mapOf, mapWithEach, mapWithResults } from "../support/mapping.mjs";
import { everyone, openPool } from "../support/pool.mjs";
import { scene } from "../support/suite.mjs";

const run = scene({
  name: "run",
  sides: [
    ...everyone.map((pool) => ({ name: pool, ours: pool === "lifeguard", pool })),
    { name: "bare Workers, a message each way", pool: /** @type {const} */ ("bare") },
  ],
  measures: [
    {
      key: "each",
      text: "run, all submitted at once, each",
      unit: "ns",
      of: "task",
      asked: (n) => [{ over: "piscina", atMost: 1 }, ...(n === 100_000 ? [{ atMost: 6_000 }] : [])],
    },
  ],
  open: async ({ pool: name }) => {
    const pool = await openPool(name);
    return async (n) => {
      collectGarbage();
      const from = process.hrtime.bigint();
      await Promise.all(Array.from({ length: n }, () => pool.run("nothing")));
      return { each: Number(process.hrtime.bigint() - from) / n };
    };
  },
});

const map = scene({
  name: "map",
  sides: [mapWithResults, mapWithEach, ...chunksOfPeers],
  measures: [
    {
      key: "each",
      text: "as a batch, each",
      unit: "ns",
      of: "task",
      asked: (n) =>
        n === 100_000
          ? [
              { of: mapWithResults.name, atMost: 1_500 },
              { of: mapWithEach.name, atMost: 1_500 },
            ]
          : [],
    },
  ],
  open: async ({ pool: name, how }) => {
    const pool = await openPool(name);
    return async (n) => {
      const inputs = Array.from({ length: n }, (_, at) => at);
      collectGarbage();
      const from = process.hrtime.bigint();
      let count = 0;
      switch (how) {
        case "each":
          for await (const _ of mapOf(pool)("nothing", inputs).each()) count++;
          break;
        case "results":
          count = (await mapOf(pool)("nothing", inputs).results()).length;
          break;
        case "chunks":
          count = (await inPlainChunks(pool, "nothing", inputs).results()).length;
          break;
        default:
          throw new Error("no such way to map");
      }
      const took = Number(process.hrtime.bigint() - from);
      if (count !== n) throw new Error(`${String(n)} inputs gave ${String(count)} results`);
      return { each: took / n };
    };
  },
});

/** @type {import("../support/suite.mjs").Suite} */
export const suite = { about: "tasks that do nothing, one by one and in batches", scenes: [run, map] };
