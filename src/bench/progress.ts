/** Tells whoever waits how far a measurement has come: over one line in a terminal, else a line for each part. */
import { clearLine, cursorTo } from "node:readline";
import type { Progress } from "./run.js";

export class TextProgress implements Progress {
  readonly #out: NodeJS.WriteStream;
  #what = "";

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  begin(what: string): void {
    this.#what = what;
    if (this.#out.isTTY) this.#draw(what);
    else this.#out.write(`measuring: ${what}\n`);
  }

  step(done: number, of: number): void {
    if (this.#out.isTTY) this.#draw(`${this.#what}: ${done} of ${of}`);
  }

  /** Leaves no trace in a terminal. */
  end(): void {
    if (!this.#out.isTTY) return;
    cursorTo(this.#out, 0);
    clearLine(this.#out, 0);
  }

  #draw(text: string): void {
    cursorTo(this.#out, 0);
    // A line that is longer than the terminal is wide would stay.
    this.#out.write(`measuring: ${text}`.slice(0, Math.max(1, (this.#out.columns || 80) - 1)));
    clearLine(this.#out, 1);
  }
}
