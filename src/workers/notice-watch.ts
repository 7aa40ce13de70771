/** A watch whose end comes from another thread: a word of shared memory, and the clock beside it. */
import { type Alarm, ringDue } from "../context/alarms.js";
import { now } from "../context/clock.js";
import { Ending, plainEnding } from "../context/ending.js";
import type { Node } from "../context/node.js";
import { Stride, Watch } from "../context/watch.js";
import { unpack } from "./carry.js";
import {
  CANCELED,
  CANCELED_WITH_CAUSE,
  EXPIRED,
  EXPIRED_WITH_CAUSE,
  LIVE,
  type Notice,
  noticeWord,
  readNotice,
} from "./lane.js";
import { toLocal } from "./shared-clock.js";
import type { Deadline } from "./terms.js";

/** Looks at the notice, and at the clock on a stride: a blocked thread on the other side delays nothing. */
export abstract class NoticeWatch extends Watch implements Alarm {
  /** On this thread's clock, ms; Infinity without a deadline. */
  readonly when: number;
  slot = -1;
  protected readonly epoch: number;
  protected node: Node | undefined = undefined;
  readonly #deadline: Deadline | undefined;
  readonly #stride: Stride | null;

  /**
   * @param words where the notice is, in the first one
   * @param epoch what the notice has to speak of
   * @param when the deadline on this thread's clock, see `dueOf`
   */
  constructor(
    words: Int32Array,
    epoch: number,
    deadline: Deadline | undefined,
    when: number,
    isPaced: boolean,
  ) {
    super(isPaced);
    this.words = words;
    this.live = noticeWord(epoch, LIVE);
    this.epoch = epoch;
    this.#deadline = deadline;
    this.#stride = deadline === undefined ? null : new Stride();
    this.when = when;
  }

  /** The node that ends with it. */
  attach(node: Node): void {
    this.node = node;
  }

  override get source(): Watch {
    return this;
  }

  // Nothing here is overridden for an ordinary task: what lies between the poll that sees a notice and the error is run once, uncompiled,
  // and each call more is a tenth of a microsecond (bench/seen).
  override check(): void {
    this.left = 1;
    if (this.sawNotice()) return;
    if (this.#stride === null) {
      this.left = Stride.LONGEST;
      return;
    }
    const at = now();
    this.#lookAtClock(at);
    this.left = this.#stride.next(at);
  }

  override look(at: number): void {
    this.lookAround(at);
  }

  protected lookAround(at: number): void {
    if (!this.sawNotice()) this.#lookAtClock(at);
  }

  protected sawNotice(): boolean {
    // What the memory model guarantees by; the plain read of the poll is only quicker to notice.
    const word = Atomics.load(this.words, 0);
    if (word === this.live) return false;
    this.endWith(readNotice(word, this.epoch));
    return true;
  }

  #lookAtClock(at: number): void {
    if (at < this.when) return;
    ringDue(at);
    this.endWith(EXPIRED);
  }

  protected endWith(notice: Notice): void {
    this.node?.end(this.#endingOf(notice));
  }

  #endingOf(notice: Notice): Ending {
    switch (notice) {
      case CANCELED:
      case LIVE:
        return plainEnding();
      case CANCELED_WITH_CAUSE:
        return new Ending(false, this.cause());
      case EXPIRED:
        return new Ending(true, this.#announcedCause());
      case EXPIRED_WITH_CAUSE:
        return new Ending(true, this.cause());
      default:
        return notice satisfies never;
    }
  }

  #announcedCause(): unknown {
    const carried = this.#deadline?.cause;
    return carried === undefined ? undefined : unpack(carried);
  }

  /** The cause that goes with the notice. In the middle of a synchronous loop no event brings it: fetch it. */
  protected abstract cause(): unknown;

  ring(): void {
    this.glance();
  }

  /** A look of the library's own: no poll of the task's. */
  glance(): void {
    this.lookAround(now());
  }

  override deadline(): number | undefined {
    return this.#deadline?.wall;
  }

  override remaining(): number {
    return this.when === Number.POSITIVE_INFINITY ? this.when : this.when - now();
  }

  override due(): number {
    return this.when;
  }
}

/** A deadline on this thread's clock, ms; Infinity for none. */
export function dueOf(deadline: Deadline | undefined): number {
  return deadline === undefined ? Number.POSITIVE_INFINITY : toLocal(deadline.when);
}
