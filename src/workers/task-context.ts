/** A task's context inside its worker: a node of the tree whose end comes from another thread. */
import { type Alarm, clearAlarm, ringDue, setAlarm } from "../context/alarms.js";
import { now } from "../context/clock.js";
import type { Context } from "../context/context.js";
import { Ending, plainEnding } from "../context/ending.js";
import { type ContextKey, sharedKey } from "../context/keys.js";
import { ValueLayer } from "../context/layers.js";
import { Node } from "../context/node.js";
import { background } from "../context/roots.js";
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
import type { Terms, Wake } from "./messages.js";
import { type Place, placeKey } from "./place.js";
import { GAPS, type Probe, STAMPS } from "./probe.js";
import { toLocal } from "./shared-clock.js";

/** Looks at the lane's notice, and at the clock on a stride: a blocked main thread delays nothing. */
class LaneWatch extends Watch implements Alarm {
  /** On this thread's clock, ms; Infinity without a deadline. */
  readonly when: number;
  slot = -1;
  readonly #place: Place;
  readonly #offered: Terms["deadline"];
  readonly #stride = new Stride();
  readonly #probe: Probe | null;
  /** Each poll has to come here: it is timed. */
  readonly #isTimed: boolean;
  /** What `left` was set to last: the difference is the polls that have come since, at no cost to them. */
  #given = 1;
  #node: Node | undefined;
  #wake: Wake | undefined;

  constructor(place: Place, terms: Terms, when: number, probe: Probe | null) {
    // Of one that counts not paced, so that what is derived from it asks it at each of its polls.
    super(probe === null || probe.mode === STAMPS);
    this.#probe = probe;
    this.#isTimed = probe?.mode === GAPS;
    if (probe !== null) probe.uncounted = () => this.#given - this.left;
    this.words = place.lane.notice(place.at);
    this.live = noticeWord(place.epoch, LIVE);
    this.#place = place;
    this.#offered = terms.deadline;
    this.when = when;
  }

  attach(node: Node): void {
    this.#node = node;
  }

  override get source(): Watch {
    return this;
  }

  override check(): void {
    // The poll that comes here has taken itself off, unless it has seen the notice, or is another question than `err()`.
    this.#probe?.polled(this.left <= 0 ? this.#given : this.#given - this.left + 1);
    this.#pace(1);
    if (this.#sawNotice()) return;
    if (this.when === Number.POSITIVE_INFINITY) {
      this.#pace(Stride.LONGEST);
      return;
    }
    const at = now();
    this.#lookAtClock(at);
    this.#pace(this.#stride.next(at));
  }

  /** So many polls until the next close look. */
  #pace(polls: number): void {
    this.left = this.#isTimed ? 1 : polls;
    this.#given = this.left;
  }

  override look(at: number): void {
    this.#probe?.polled(1);
    this.#lookAround(at);
  }

  #lookAround(at: number): void {
    if (!this.#sawNotice()) this.#lookAtClock(at);
  }

  #sawNotice(): boolean {
    // What the memory model guarantees by; the plain read of the poll is only quicker to notice.
    const word = Atomics.load(this.words, 0);
    if (word === this.live) return false;
    this.#end(readNotice(word, this.#place.epoch), false);
    return true;
  }

  #lookAtClock(at: number): void {
    if (at < this.when) return;
    ringDue(at);
    this.#end(EXPIRED, false);
  }

  #end(notice: Notice, isHeard: boolean): void {
    if (this.#probe !== null && this.#node?.ending === null) this.#probe.saw(isHeard);
    this.#node?.end(this.#endingOf(notice));
  }

  #endingOf(notice: Notice): Ending {
    switch (notice) {
      case CANCELED:
      case LIVE:
        return plainEnding();
      case CANCELED_WITH_CAUSE:
        return new Ending(false, this.#causeFromPort());
      case EXPIRED:
        return new Ending(true, this.#announcedCause());
      case EXPIRED_WITH_CAUSE:
        return new Ending(true, this.#causeFromPort());
      default:
        return notice satisfies never;
    }
  }

  #announcedCause(): unknown {
    const carried = this.#offered?.cause;
    return carried === undefined ? undefined : unpack(carried);
  }

  /** In the middle of a synchronous loop no event brings the message: fetch it. It was posted before the notice. */
  #causeFromPort(): unknown {
    const { mailbox, epoch, at } = this.#place;
    this.#wake ??= mailbox.wake(epoch, at);
    const carried = this.#wake?.cause;
    return carried === undefined ? undefined : unpack(carried);
  }

  /** The event that ends waiting: everything derived from this context hears of it. */
  receive(wake: Wake): void {
    if (!this.#isMine(wake)) return;
    this.#wake = wake;
    this.#end(wake.notice, true);
  }

  #isMine(wake: Wake): boolean {
    return wake.epoch === this.#place.epoch && wake.place === this.#place.at;
  }

  ring(): void {
    this.glance();
  }

  /** A look of the library's own: no poll of the task's. */
  glance(): void {
    this.#lookAround(now());
  }

  override deadline(): number | undefined {
    return this.#offered?.wall;
  }

  override remaining(): number {
    return this.when === Number.POSITIVE_INFINITY ? this.when : this.when - now();
  }
}

/** What a task gets as its first argument. */
export class TaskNode extends Node {
  readonly #watch: LaneWatch;
  readonly #place: Place;

  /**
   * @param values a context with the shared values: tasks under the same terms have the same
   * @param when the deadline on this thread's clock, ms; Infinity without one
   */
  constructor(place: Place, terms: Terms, values: Context, when: number, probe: Probe | null) {
    const watch = new LaneWatch(place, terms, when, probe);
    super(new ValueLayer(values, placeKey as ContextKey<unknown>, place), null, watch);
    this.#watch = watch;
    this.#place = place;
    watch.attach(this);
  }

  /** The task has returned a promise: from now on its deadline needs a timer too, polls or not. */
  awaits(): void {
    const { lane, epoch, at } = this.#place;
    lane.awaits(epoch, at);
    // A notice from before had no message go with it.
    if (this.ending === null) this.#watch.glance();
    if (this.ending === null && this.#watch.when !== Number.POSITIVE_INFINITY) setAlarm(this.#watch, now());
  }

  receive(wake: Wake): void {
    this.#watch.receive(wake);
  }

  /** The task has ended: stray work it left behind sees that at its next poll. */
  over(): void {
    this.#place.isLeft = true;
    this.end(over);
  }

  /** Only when there is an alarm to take off: a loop is waiting for the end of this. */
  override get listens(): boolean {
    return this.#watch.slot >= 0;
  }

  protected override ended(): void {
    clearAlarm(this.#watch);
    super.ended();
  }

  override get label(): string {
    return "task";
  }
}

/** How the context of a task ends that is over. One for all. */
const over = new Ending(false, undefined);

/** The deadline on this thread's clock, ms; Infinity without one. */
export function dueOf({ deadline }: Terms): number {
  return deadline === undefined ? Number.POSITIVE_INFINITY : toLocal(deadline.when);
}

/** A context with the values that came along. */
export function valuesOf(values: Terms["values"]): Context {
  let ctx: Context = background;
  if (values !== undefined)
    for (const [name, value] of values) ctx = new ValueLayer(ctx, sharedKey(name), value);
  return ctx;
}
