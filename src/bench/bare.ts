/** Worker threads with nothing around them: the peer that shows what the machine allows, and threads that keep it busy. */
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { bareWorker } from "../bench-urls.js";
import type { Context } from "../context/context.js";
import { background } from "../context/roots.js";
import { stamp } from "../workers/probe.js";
import { type BareData, FLAG, RUNNING, WORDS } from "./bare-words.js";
import { distributionOf } from "./distribution.js";
import type { Case, Distribution } from "./report.js";
import { moment } from "./waiting.js";

/** The moments of the flag lie so long after the loop's begin, ns, at most. */
const WINDOW = 2e6;

/** Rounds that are not in the figures, in which code is compiled; and rounds that are in them, at least. */
const WARM_UP = 50;
const LEAST = 50;

/** A loop that looks at a flag, and a message back. */
export class BareFlag {
  readonly #words = new Int32Array(new SharedArrayBuffer(4 * WORDS));
  readonly #stamps = new Float64Array(new SharedArrayBuffer(16));
  readonly #worker = startWorker({ words: this.#words, stamps: this.#stamps, burns: false });
  readonly #seen: number[] = [];
  readonly #settled: number[] = [];

  /** Before the first sample. */
  async warmUp(): Promise<void> {
    for (let i = 0; i < WARM_UP; i++) await this.#round();
  }

  /** Takes one sample. */
  async sample(): Promise<void> {
    const { seen, settled } = await this.#round();
    this.#seen.push(seen);
    this.#settled.push(settled);
  }

  /** After the last one: as many as it takes for figures, where what it stands beside was slow. */
  async complete(ctx: Context): Promise<void> {
    while (this.#seen.length < LEAST && ctx.err() === undefined) await this.sample();
  }

  async #round(): Promise<{ readonly seen: number; readonly settled: number }> {
    const words = this.#words;
    words[FLAG] = 0;
    words[RUNNING] = 0;
    let settled = 0;
    // As a pool does it: a listener that is always there would be quicker by what a promise costs.
    const message = once(this.#worker, "message").then(() => {
      settled = stamp();
    });
    this.#worker.postMessage(undefined);
    while (Atomics.load(words, RUNNING) === 0) await turn();
    await moment(stamp() + Math.random() * WINDOW, background);
    const from = stamp();
    Atomics.store(words, FLAG, 1);
    await message;
    return { seen: (this.#stamps[0] as number) - from, settled: settled - from };
  }

  /** Undefined before the first sample. */
  figures(): Case["bare"] {
    const seen = distributionOf(this.#seen);
    return seen && { seen, settled: distributionOf(this.#settled) as Distribution };
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Starts threads that do nothing but use the processors; resolves with their end. */
export async function burn(threads: number): Promise<() => Promise<void>> {
  const words = Array.from({ length: threads }, () => new Int32Array(new SharedArrayBuffer(4 * WORDS)));
  const stamps = new Float64Array(new SharedArrayBuffer(16));
  const workers = words.map((each) => startWorker({ words: each, stamps, burns: true }));
  while (words.some((each) => Atomics.load(each, RUNNING) === 0)) await turn();
  return async () => {
    await Promise.all(workers.map((worker) => worker.terminate()));
  };
}

function startWorker(data: BareData): Worker {
  const worker = new Worker(bareWorker, { workerData: data, name: "lifeguard-bare" });
  worker.unref();
  return worker;
}
