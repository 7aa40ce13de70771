// @ts-check
/** A side's process as the runner sees it: asked for a sample it gives one, or says what became of it. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("./child.mjs", import.meta.url));

/** The heap is the one of bench/queue: a million waiting tasks of ours want some 0.6 GB of it. */
const flags = ["--expose-gc", "--max-old-space-size=4096"];

/**
 * What became of a request. Lost: the process has gone, and this is why.
 *
 * @typedef {{ readonly type: "sample", readonly values: Readonly<Record<string, number>> }
 *   | { readonly type: "ready" }
 *   | { readonly type: "lost", readonly why: string }} Outcome
 */

/** Seconds that a pool may take until it is there and warm, on a slow machine. */
const START = 15;

/** As much of stderr as is kept for the reason of a crash. */
const KEPT = 20_000;

/** @type {Set<import("node:child_process").ChildProcess>} */
const alive = new Set();

// They must not outlive the runner, whatever ends it; a busy one would notice late.
process.on("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});

/** One process. After an answer that says it is lost, there is none. */
export class SideProcess {
  #child;
  #stderr = "";
  #limit;
  #stop;
  #exited;

  /**
   * @param {readonly [suite: string, scene: string, side: string, n: number]} what
   * @param {number} limit seconds a sample may take
   * @param {AbortSignal} stop ends what is under way
   */
  constructor(what, limit, stop) {
    this.#limit = limit;
    this.#stop = stop;
    const child = fork(entry, what.map(String), {
      execArgv: flags,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child = child;
    alive.add(child);
    child.stderr?.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT);
    });
    // Not "exit": what it has written last is still on its way then. Nor does one wait for more than that.
    this.#exited = /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        child.on("error", () => resolve());
        child.on("close", () => resolve());
      })
    ).then(() => {
      alive.delete(child);
    });
  }

  /** Once the pool is there, and warm: a second or two, which the limit of a sample does not include. */
  async ready() {
    return await this.#answer(this.#limit + START);
  }

  async sample() {
    if (this.#child.connected) this.#child.send("sample");
    return await this.#answer(this.#limit);
  }

  /** A clean end would take as long as the pool behind it wants. */
  async end() {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /**
   * @param {number} limit seconds
   * @returns {Promise<Outcome>}
   */
  async #answer(limit) {
    const child = this.#child;
    /** @type {(() => void)[]} */
    const undo = [];
    const outcome = await /** @type {Promise<Outcome>} */ (
      new Promise((resolve) => {
        const lost = (/** @type {string} */ why) => resolve({ type: "lost", why });
        const timer = setTimeout(lost, limit * 1000, `not finished after ${String(limit)} s`);
        const onStop = () => lost("stopped");
        const onMessage = (/** @type {unknown} */ message) => {
          const answer = /** @type {import("./child.mjs").Answer} */ (message);
          if (answer.type === "failed") lost(`failed: ${oneLine(answer.why)}`);
          else resolve(answer);
        };
        child.on("message", onMessage);
        this.#stop.addEventListener("abort", onStop);
        if (this.#stop.aborted) onStop();
        void this.#exited.then(() => lost(`crashed: ${this.#whyGone()}`));
        undo.push(
          () => clearTimeout(timer),
          () => child.off("message", onMessage),
          () => this.#stop.removeEventListener("abort", onStop),
        );
      })
    );
    for (const each of undo) each();
    if (outcome.type === "lost") await this.end();
    return outcome;
  }

  /** The line of stderr that says most, after how the process ended. */
  #whyGone() {
    const { exitCode, signalCode } = this.#child;
    const how = signalCode ?? `exit code ${String(exitCode)}`;
    const said = /^(?:FATAL ERROR: |\w*Error\b).*/m.exec(this.#stderr)?.[0];
    return said === undefined ? how : `${how}, ${oneLine(said)}`;
  }
}

/** @param {string} text */
function oneLine(text) {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
