/** Children that are not contexts to anybody: functions to call when their owner ends. */
import type { Context } from "./context.js";
import { Node } from "./node.js";

/**
 * Calls `fn` inside the `cancel()` that ends its owner, or in the constructor when that is over already. For the library's
 * own use: `fn` calls no user code, does not throw, and may be called again where `Node.finish` had to tell it anew.
 */
export class Listener extends Node {
  #fn: (() => void) | undefined;

  constructor(parent: Context, owner: Node, fn: () => void) {
    super(parent, null, null);
    this.#fn = fn;
    this.linkTo(owner);
    // Its owner may have ended before, or have been seen to only now: a look at the clock, or at another thread's word.
    if (this.ending !== null) this.ended();
  }

  override get listens(): boolean {
    return true;
  }

  protected override ended(): void {
    this.#fn?.();
    this.#fn = undefined;
  }

  /** Takes it off its owner. Repeated calls, and calls after the end, do nothing. */
  detach(): void {
    this.#fn = undefined;
    this.leave();
  }
}
