/** Signals of the operating system as contexts. */
import { constants } from "node:os";
import type { CancelFunc, Context } from "../context/context.js";
import { cancelFunc, ownerOf } from "../context/derive.js";
import { Ending } from "../context/ending.js";
import { invalid, invalidArg } from "../context/invalid.js";
import { Node } from "../context/node.js";

const uncatchable: readonly string[] = ["SIGKILL", "SIGSTOP"];

class ProcessSignalNode extends Node {
  readonly #signals: readonly NodeJS.Signals[];
  #signaled = false;

  constructor(parent: Context, owner: Node | null, signals: readonly NodeJS.Signals[]) {
    super(parent, owner, owner === null ? null : owner.watch);
    this.#signals = signals;
    if (this.ending === null) for (const signal of signals) process.on(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    // Listeners that come after this one may look whether they are the only ones left, and then end the process
    // (signal-exit does): for them we are still there.
    this.#signaled = true;
    queueMicrotask(() => {
      this.#off();
    });
    this.end(new Ending(false, signal));
  };

  /** From here on the signal does what it does without us: a second Ctrl-C ends the process. */
  #off(): void {
    for (const signal of this.#signals) process.off(signal, this.#onSignal);
  }

  override get listens(): boolean {
    return true;
  }

  protected override ended(): void {
    if (!this.#signaled) this.#off();
    super.ended();
  }

  override get label(): string {
    return `withProcessSignal(${this.#signals.join(", ")})`;
  }
}

/**
 * Derives a context that also ends when the process is sent one of `signals`, with a CanceledError and the signal's
 * name ("SIGINT") as its cause. It listens until it has ended: a second signal is the system's, and by default ends the
 * process at once. Listening does not keep the process alive.
 *
 * @throws TypeError ERR_INVALID_ARG for no parent, no signal, or one this system does not know
 */
export function withProcessSignal(
  parent: Context,
  ...signals: NodeJS.Signals[]
): [ctx: Context, cancel: CancelFunc] {
  const owner = ownerOf("withProcessSignal: parent", parent);
  if (signals.length === 0)
    throw invalid("withProcessSignal: signals: expected one or more names of signals, got none");
  for (const signal of signals) {
    if (!Object.hasOwn(constants.signals, signal) || uncatchable.includes(signal)) {
      throw invalidArg(
        "withProcessSignal: signals",
        'the name of a signal that can be caught, such as "SIGINT"',
        signal,
      );
    }
  }
  const node = new ProcessSignalNode(parent, owner, signals);
  return [node, cancelFunc(node)];
}
