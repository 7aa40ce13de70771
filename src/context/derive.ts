/** From public arguments to nodes: what is a context, which node a child hangs on, what a cancel function is. */
import type { CancelFunc, Context } from "./context.js";
import { nodeBehind } from "./custom.js";
import { Ending } from "./ending.js";
import { invalidArg } from "./invalid.js";
import { coreOf, Root, ValueLayer } from "./layers.js";
import { Node } from "./node.js";

const methods = ["deadline", "done", "err", "value"] as const;

/** Whether `value` can be a parent: one of ours, or any object with the methods of the interface. Never throws. */
export function isContext(value: unknown): value is Context {
  if (typeof value !== "object" || value === null) return false;
  if (Node.is(value) || ValueLayer.is(value)) return true;
  try {
    return methods.every((name) => typeof (value as Record<string, unknown>)[name] === "function");
  } catch {
    return false;
  }
}

/** @throws TypeError ERR_INVALID_ARG, naming `where`, when `value` is no context */
export function checkContext(where: string, value: unknown): asserts value is Context {
  if (!isContext(value)) throw invalidArg(where, "a Context (such as `background`)", value);
}

/** The node whose end ends what is derived from `parent`: null where nothing ever will. Checks the argument on the way. */
export function ownerOf(where: string, parent: Context): Node | null {
  if (typeof parent === "object" && (parent as unknown) !== null && Node.is(parent)) return parent;
  checkContext(where, parent);
  const core = coreOf(parent);
  if (Node.is(core)) return core;
  return Root.is(core) ? null : nodeBehind(core);
}

/** Browsers without `using` have no such symbol; what compiles `using` down for them brings one of this name. */
const disposeSymbol = (Symbol as { dispose?: symbol }).dispose ?? Symbol.for("Symbol.dispose");

// Set as the prototype of every cancel function: cheaper than a property of its own on each, 45 bytes (bench/context).
const cancelPrototype = Object.create(Function.prototype, {
  [disposeSymbol]: {
    value(this: () => void): void {
      this();
    },
    writable: true,
    configurable: true,
  },
}) as object;

/** What callers get for a node of theirs. */
export function cancelFunc(node: Node): CancelFunc {
  const cancel = (cause?: unknown): void => {
    if (node.poll() === null) node.end(new Ending(false, cause));
  };
  return Object.setPrototypeOf(cancel, cancelPrototype) as CancelFunc;
}
