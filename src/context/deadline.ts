/** Nodes that end by themselves: the watch that sees the deadline pass at a poll, and the alarm that needs none. */
import { type Alarm, clearAlarm, ringDue, setAlarm } from "./alarms.js";
import { now } from "./clock.js";
import type { Context } from "./context.js";
import { Ending } from "./ending.js";
import { Node } from "./node.js";
import { Stride, Watch } from "./watch.js";

/** A deadline: on the monotonic clock for what happens, on the wall clock for what is reported. */
export class DeadlineWatch extends Watch implements Alarm {
  readonly when: number;
  slot = -1;
  node: DeadlineNode | undefined;
  /** What the context's cause will be once this has passed; undefined for none. */
  readonly cause: unknown;
  readonly #wall: number;
  readonly #source: Watch | null;
  readonly #stride: Stride | null;

  /**
   * @param when on this thread's monotonic clock, ms
   * @param wall ms since the epoch
   * @param over the watch of the parent, which has no earlier deadline
   */
  constructor(when: number, wall: number, cause: unknown, over: Watch | null) {
    const source = over === null ? null : over.source;
    super(source?.paced === true);
    this.when = when;
    this.#wall = wall;
    this.cause = cause;
    this.#source = source;
    this.#stride = this.paced ? new Stride() : null;
    if (source !== null) {
      this.words = source.words;
      this.live = source.live;
    }
  }

  override get source(): Watch | null {
    return this.#source;
  }

  override check(): void {
    const at = now();
    this.#source?.look(at);
    if (at >= this.when) ringDue(at);
    else this.left = this.#stride === null ? 1 : this.#stride.next(at);
  }

  override look(at: number): void {
    this.#source?.look(at);
    if (at >= this.when) ringDue(at);
  }

  ring(): void {
    this.node?.end(new Ending(true, this.cause));
  }

  override deadline(): number {
    return this.#wall;
  }

  override remaining(): number {
    return this.when - now();
  }

  override due(): number {
    return this.when;
  }
}

/** A context with a deadline of its own, earlier than any above it. */
export class DeadlineNode extends Node {
  readonly #own: DeadlineWatch;

  /** @param at the time now, which the caller has just read */
  constructor(parent: Context, owner: Node | null, watch: DeadlineWatch, at: number) {
    super(parent, null, watch);
    this.#own = watch;
    watch.node = this;
    if (owner !== null) this.linkTo(owner);
    if (this.ending !== null) return;
    if (watch.when > at) setAlarm(watch, at);
    else watch.ring();
  }

  override get listens(): boolean {
    return true;
  }

  protected override ended(): void {
    clearAlarm(this.#own);
    super.ended();
  }

  override get label(): string {
    return "withDeadline";
  }
}
