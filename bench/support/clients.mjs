// @ts-check
/** Clients of a server under measurement, in a process of its own: their work is not to be taken for the server's. Both ends of that. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * Has the process of `script`, a file beside this one, do what `order` says.
 *
 * @template Order, Outcome
 * @param {string} script
 * @param {Order} order
 * @returns {{ done: Promise<Outcome>, stop(): void }} done: when the process has gone
 */
export function startClients(script, order) {
  // Ctrl-C goes to every process of the terminal: what is under way is still to be measured, and this one has its own group.
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), { detached: true });
  const done = new Promise((resolve, reject) => {
    /** @type {Outcome | undefined} */
    let outcome;
    child.on("message", (message) => {
      outcome = /** @type {Outcome} */ (message);
    });
    child.on("error", reject);
    child.on("exit", (code, killedBy) => {
      if (outcome === undefined) reject(new Error(`${script} ended with ${String(code ?? killedBy)}`));
      else resolve(outcome);
    });
  });
  child.send(/** @type {import("node:child_process").Serializable} */ ({ order }));
  return {
    done,
    stop() {
      if (child.connected) child.send({ order: undefined });
    },
  };
}

/**
 * In that process: does what it is told to, once.
 *
 * @template Order, Outcome
 * @param {(order: Order, stopped: AbortSignal) => Promise<Outcome>} work
 */
export function serveOnce(work) {
  // The one who wanted it has gone.
  const leave = () => process.exit(1);
  process.on("disconnect", leave);
  if (!process.connected) leave();
  const stopping = new AbortController();
  process.on("message", (message) => {
    const { order } = /** @type {{ order?: Order }} */ (message);
    if (order === undefined) stopping.abort();
    else void run(order);
  });

  /** @param {Order} order */
  async function run(order) {
    const outcome = await work(order, stopping.signal);
    process.off("disconnect", leave);
    process.send?.(outcome, () => process.disconnect());
  }
}
