/** AbortSignals as contexts: one listener per signal, however many contexts hang on it. */
import type { CancelFunc, Context } from "./context.js";
import { cancelFunc, ownerOf } from "./derive.js";
import { Ending } from "./ending.js";
import { invalidArg } from "./invalid.js";
import { Node } from "./node.js";

/** The nodes of one signal. A signal's own list of listeners makes n of them cost n squared. */
class SignalHub {
  readonly #nodes = new Set<SignalNode>();
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(node: SignalNode): void {
    if (this.#nodes.size === 0) this.#signal.addEventListener("abort", this.#onAbort);
    this.#nodes.add(node);
  }

  /** The last one to go takes the listener along. */
  delete(node: SignalNode): void {
    if (this.#nodes.delete(node) && this.#nodes.size === 0)
      this.#signal.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => {
    for (const node of [...this.#nodes]) node.end(new Ending(false, this.#signal.reason));
  };
}

const hubs = new WeakMap<AbortSignal, SignalHub>();

class SignalNode extends Node {
  /** Holds the signal too: one that nobody references might be collected before it fires (nodejs/node#54614). */
  readonly #hub: SignalHub;

  constructor(parent: Context, owner: Node | null, hub: SignalHub) {
    super(parent, null, Node.watchBelow(parent, owner, owner === null ? null : owner.watch));
    this.#hub = hub;
    if (owner !== null) this.linkTo(owner);
    if (this.ending === null) hub.add(this);
  }

  override get listens(): boolean {
    return true;
  }

  protected override ended(): void {
    this.#hub.delete(this);
    super.ended();
  }

  override get label(): string {
    return "withSignal";
  }
}

/**
 * Derives a context that also ends when `signal` aborts, with a CanceledError and the signal's reason as its cause; at
 * once when it has aborted already. Also the way to merge two contexts: `withSignal(ctx, other.signal)`. Call `cancel`
 * when the work is done: until then the signal holds the context.
 *
 * @throws TypeError ERR_INVALID_ARG
 */
export function withSignal(parent: Context, signal: AbortSignal): [ctx: Context, cancel: CancelFunc] {
  const owner = ownerOf("withSignal: parent", parent);
  if (!isSignal(signal)) throw invalidArg("withSignal: signal", "an AbortSignal", signal);
  let hub = hubs.get(signal);
  if (hub === undefined) {
    hub = new SignalHub(signal);
    hubs.set(signal, hub);
  }
  const node = new SignalNode(parent, owner, hub);
  if (signal.aborted && node.ending === null) node.end(new Ending(false, signal.reason));
  return [node, cancelFunc(node)];
}

function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== "object" || value === null) return false;
  const { aborted, addEventListener, removeEventListener } = value as Partial<
    Record<keyof AbortSignal, unknown>
  >;
  return (
    typeof aborted === "boolean" &&
    typeof addEventListener === "function" &&
    typeof removeEventListener === "function"
  );
}
