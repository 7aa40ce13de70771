// @ts-check
/** Cancelling many tasks together: those that wait, and a batch in the middle of its work. */
import { setTimeout as sleep } from "node:timers/promises";
import { collectGarbage } from "../../support/sampling.mjs";
import { inChunks } from "../support/chunks.mjs";
import { chunksOfPeers, mapOf, mapWithResults } from "../support/mapping.mjs";
import { bothFree, everyone, holdAll, openPool } from "../support/pool.mjs";
import { scene } from "../support/suite.mjs";
import { submitAndCancel } from "../support/together.mjs";

const queued = scene({
  name: "queued",
  sides: everyone.map((pool) => ({ name: pool, ours: pool === "lifeguard", pool })),
  measures: [
    {
      key: "submit",
      text: "submitting under one context, each",
      unit: "ns",
      of: "task",
      asked: (n) => (n >= 50_000 ? [{ atMost: 2_000 }] : []),
    },
    {
      key: "cancel",
      text: "inside cancel()",
      unit: "ns",
      of: "batch",
      asked: (n) => (n === 100_000 ? [{ atMost: 15e6 }] : []),
    },
    {
      key: "settle",
      text: "cancel() to all settled",
      unit: "ns",
      of: "batch",
      asked: (n) => (n === 100_000 ? [{ atMost: 100e6 }] : []),
    },
  ],
  open: async ({ pool: name }) => {
    const pool = await openPool(name);
    return async (n) => {
      const release = await holdAll(pool);
      const times = await submitAndCancel(pool, n);
      await release();
      // What a pool has yet to clear away belongs to this sample, not to the next one.
      await bothFree(pool);
      return times;
    };
  },
});

/** In the middle means half of the inputs, or what is done by then, ms. */
const LONG_ENOUGH = 1_000;

const running = scene({
  name: "running",
  sides: [{ ...mapWithResults, name: "lifeguard map" }, ...chunksOfPeers],
  measures: [
    {
      key: "settle",
      text: "batch cancelled in the middle, cancel() to settled",
      unit: "ns",
      of: "moment",
    },
    {
      key: "usable",
      text: "batch cancelled in the middle, cancel() to both threads usable again",
      unit: "ns",
      of: "moment",
    },
  ],
  open: async ({ pool: name, how }) => {
    const pool = await openPool(name);
    const start = how === "chunks" ? inChunks.bind(undefined, pool) : mapOf(pool);
    return async (n) => {
      const inputs = Array.from({ length: n }, (_, at) => at);
      collectGarbage();
      const batch = start("spin", inputs);
      const settled = batch.results().then(stamp, stamp);
      const last = performance.now() + LONG_ENOUGH;
      while (batch.done() < n / 2 && performance.now() < last) await sleep(1);
      const from = process.hrtime.bigint();
      batch.cancel();
      const usable = bothFree(pool);
      return { settle: Number((await settled) - from), usable: Number((await usable) - from) };
    };
  },
});

function stamp() {
  return process.hrtime.bigint();
}

/** @type {import("../support/suite.mjs").Suite} */
export const suite = {
  about: "tasks under one context, or AbortSignal: submitting, cancelling, settling",
  scenes: [queued, running],
};
