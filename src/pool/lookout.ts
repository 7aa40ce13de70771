/** A look at the threads every now and then, while there is something to see. */
import { clearTimeout, setTimeout } from "node:timers";

/** ms: the shortest that timers can. */
const PAUSE = 1;

export class Lookout {
  /** Returns whether to look again. */
  readonly #look: () => boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(look: () => boolean) {
    this.#look = look;
  }

  /** Begins to look, unless it has already. Keeps no process alive. */
  start(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#look()) this.start();
    }, PAUSE).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
