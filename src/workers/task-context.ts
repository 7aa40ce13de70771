/** A task's context inside its worker: a node of the tree whose end comes from another thread. */
import { clearAlarm, setAlarm } from "../context/alarms.js";
import { now } from "../context/clock.js";
import type { Context } from "../context/context.js";
import { over } from "../context/ending.js";
import type { ContextKey } from "../context/keys.js";
import { ValueLayer } from "../context/layers.js";
import { Node } from "../context/node.js";
import { unpack } from "./carry.js";
import type { Notice } from "./lane.js";
import type { Terms, Wake } from "./messages.js";
import { NoticeWatch } from "./notice-watch.js";
import { type Place, placeKey } from "./place.js";
import { GAPS, type Probe, STAMPS } from "./probe.js";

/** Looks at the lane's notice; a cause lies in the thread's port. */
class LaneWatch extends NoticeWatch {
  readonly #place: Place;
  #wake: Wake | undefined;

  constructor(place: Place, terms: Terms, when: number, isPaced = true) {
    super(place.lane.notice(place.at), place.epoch, terms.deadline, when, isPaced);
    this.#place = place;
  }

  /** It was posted before the notice. */
  protected override cause(): unknown {
    const { mailbox, epoch, at } = this.#place;
    this.#wake ??= mailbox.wake(epoch, at);
    const carried = this.#wake?.cause;
    return carried === undefined ? undefined : unpack(carried);
  }

  /** The event that ends waiting: everything derived from this context hears of it. */
  receive(wake: Wake): void {
    if (!this.#isMine(wake)) return;
    this.#wake = wake;
    this.hear(wake.notice);
  }

  protected hear(notice: Notice): void {
    this.endWith(notice);
  }

  #isMine(wake: Wake): boolean {
    return wake.epoch === this.#place.epoch && wake.place === this.#place.at;
  }
}

/** The same for a task that is being measured. */
class ProbedLaneWatch extends LaneWatch {
  readonly #probe: Probe;
  /** Each poll has to come here: it is timed. */
  readonly #isTimed: boolean;
  /** What `left` was set to last: the difference is the polls that have come since, at no cost to them. */
  #given = 1;
  /** It hears of its end from a message, rather than by looking. */
  #isHearing = false;

  constructor(place: Place, terms: Terms, when: number, probe: Probe) {
    // Of one that counts not paced, so that what is derived from it asks it at each of its polls.
    super(place, terms, when, probe.mode === STAMPS);
    this.#probe = probe;
    this.#isTimed = probe.mode === GAPS;
    probe.uncounted = () => this.#given - this.left;
  }

  override check(): void {
    // The poll that comes here has taken itself off, unless it has seen the notice, or is another question than `err()`.
    this.#probe.polled(this.left <= 0 ? this.#given : this.#given - this.left + 1);
    super.check();
    if (this.#isTimed) this.left = 1;
    this.#given = this.left;
  }

  override look(at: number): void {
    this.#probe.polled(1);
    super.look(at);
  }

  protected override hear(notice: Notice): void {
    this.#isHearing = true;
    super.hear(notice);
  }

  protected override endWith(notice: Notice): void {
    if (this.node?.ending === null) this.#probe.saw(this.#isHearing);
    super.endWith(notice);
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
    const watch =
      probe === null ? new LaneWatch(place, terms, when) : new ProbedLaneWatch(place, terms, when, probe);
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
