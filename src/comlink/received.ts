/** Contexts that have come from another thread: nodes of the tree here, whose end is that thread's to tell. */
import { clearAlarm, setAlarm } from "../context/alarms.js";
import { now } from "../context/clock.js";
import type { CancelFunc, Context } from "../context/context.js";
import { Ending, over, plainEnding, prepareEnding } from "../context/ending.js";
import { Node } from "../context/node.js";
import { withTimeout } from "../context/with-deadline.js";
import { unpack } from "../workers/carry.js";
import { EXPIRED, EXPIRED_WITH_CAUSE, readEpoch } from "../workers/lane.js";
import { dueOf, NoticeWatch } from "../workers/notice-watch.js";
import type { Deadline } from "../workers/terms.js";
import { valuesOf } from "../workers/values.js";
import { causeFrom } from "./cause-bytes.js";
import { PAGE_BYTES, Page, SLOTS } from "./page.js";
import {
  type ContextWire,
  type DeadlineWire,
  ENDED,
  PORT,
  type PortLike,
  type PortNotice,
  ROOT,
  SHARED,
  type SlotWire,
  type ValuesWire,
} from "./wire.js";

/** A page of another thread, and who here waits for notices on it. */
class ReceivedPage {
  readonly page: Page;
  readonly #waiting = new Set<ReceivedNode>();
  #isListening = false;
  #isKept = true;

  constructor(page: Page) {
    this.page = page;
  }

  add(node: ReceivedNode): void {
    this.#waiting.add(node);
    // The notice may have come just before. Not at once: somebody is being linked to the node.
    queueMicrotask(() => {
      node.glance();
    });
    if (this.#isListening) return;
    this.#isListening = true;
    void this.#listen();
  }

  delete(node: ReceivedNode): void {
    this.#waiting.delete(node);
    this.#stopIfIdle();
  }

  /** No more contexts will be added. */
  letGo(): void {
    this.#isKept = false;
    this.#stopIfIdle();
  }

  #stopIfIdle(): void {
    if (this.#isListening && this.#isIdle) this.page.rouse();
  }

  get #isIdle(): boolean {
    return !this.#isKept && this.#waiting.size === 0;
  }

  /** One wait at a time, for all of them; as long as the page is in use it goes on when none is left, for the next. */
  async #listen(): Promise<void> {
    let seen = this.page.signals();
    while (!this.#isIdle) {
      await this.page.nextSignal(seen);
      seen = this.page.signals();
      for (const node of [...this.#waiting]) node.glance();
    }
    this.#isListening = false;
  }
}

/** The pages that contexts came from lately. A context holds its page itself; two of one page are no harm. */
const pages = new Map<number, ReceivedPage>();
const PAGES = 32;

function pageOf(buffer: SharedArrayBuffer, id: number): ReceivedPage {
  let page = pages.get(id);
  if (page === undefined) {
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength !== PAGE_BYTES || !Number.isInteger(id))
      throw new TypeError("no page: does the other side have another version?");
    page = new ReceivedPage(new Page(id, buffer));
    pages.set(id, page);
    for (const [oldestId, oldest] of pages) {
      if (pages.size <= PAGES) break;
      pages.delete(oldestId);
      oldest.letGo();
    }
  }
  return page;
}

/** Looks at a slot, and at another one: that of the context it was derived from, if that is a third thread's. */
class SlotWatch extends NoticeWatch {
  readonly #home: ReceivedPage;
  readonly #slot: number;
  readonly #under: SlotWatch | undefined;

  constructor(
    page: SharedArrayBuffer,
    pageId: number,
    slot: number,
    epoch: number,
    deadline: Deadline | undefined,
    under: readonly SlotWire[] | undefined,
  ) {
    if (!(slot >= 0 && slot < SLOTS && Number.isInteger(slot) && Number.isInteger(epoch)))
      throw new TypeError("no slot of a page");
    const home = pageOf(page, pageId);
    super(home.page.notice(slot), epoch, deadline, dueOf(deadline), true);
    this.#home = home;
    this.#slot = slot;
    const [nearest, ...above] = under ?? [];
    this.#under = nearest && new SlotWatch(...nearest, undefined, above);
  }

  /** Its own slot, and all that lie under it. */
  get wires(): SlotWire[] {
    const { page } = this.#home;
    const own: SlotWire = [page.buffer, page.id, this.#slot, this.epoch];
    return [own, ...(this.#under?.wires ?? [])];
  }

  override attach(node: Node): void {
    super.attach(node);
    this.#under?.attach(node);
  }

  protected override sawNotice(): boolean {
    return super.sawNotice() || this.#under?.sawNotice() === true;
  }

  /** With two words to look at, each poll looks closely: a task that polls rarely must not be late by 64 times that. */
  override check(): void {
    super.check();
    if (this.#under !== undefined) this.left = 1;
  }

  protected override cause(): unknown {
    const bytes = this.#home.page.cause(this.#slot);
    // The slot may have been given to another context since the look at its notice: what was read is not ours then.
    if (readEpoch(Atomics.load(this.words, 0)) !== this.epoch) return undefined;
    try {
      return unpack(causeFrom(bytes));
    } catch (cause) {
      // A poll must not throw, whatever the other side has written there.
      return new TypeError("the cause that was sent cannot be read", { cause });
    }
  }

  /** From now on `node` hears of a notice without looking. */
  listen(node: ReceivedNode): void {
    this.#home.page.awaits(this.#slot, this.epoch);
    this.#home.add(node);
    this.#under?.listen(node);
  }

  unlisten(node: ReceivedNode): void {
    this.#home.delete(node);
    this.#under?.unlisten(node);
  }
}

class ReceivedNode extends Node {
  readonly #watch: SlotWatch;
  #isWatched = false;

  /** @param values a context with the values that came along */
  constructor(values: Context, watch: SlotWatch) {
    super(values, null, watch);
    this.#watch = watch;
    watch.attach(this);
  }

  /** Until somebody waits for it, it costs neither side anything that it is there. */
  protected override watched(): void {
    if (this.#isWatched || this.ending !== null) return;
    this.#isWatched = true;
    this.#watch.listen(this);
    if (this.#watch.when !== Number.POSITIVE_INFINITY) setAlarm(this.#watch, now());
  }

  glance(): void {
    this.#watch.glance();
  }

  override get listens(): boolean {
    return this.#isWatched;
  }

  protected override ended(): void {
    if (this.#isWatched) {
      this.#watch.unlisten(this);
      clearAlarm(this.#watch);
    }
    super.ended();
  }

  override get label(): string {
    return "received";
  }
}

/** Its end comes as a message. */
class PortNode extends Node {
  readonly #port: PortLike;
  readonly #cancelDeadline: (() => void) | undefined;

  /** @param parent has the deadline, if there is one, with its cause, and `cancelDeadline` takes it off */
  constructor(parent: Context, port: PortLike, announced: unknown, cancelDeadline: (() => void) | undefined) {
    const owner = Node.is(parent) ? parent : null;
    super(parent, null, owner === null ? null : owner.watch);
    this.#port = port;
    this.#cancelDeadline = cancelDeadline;
    port.onmessage = ({ data }) => {
      const { notice, cause } = (data ?? {}) as Partial<PortNotice>;
      const expired = notice === EXPIRED || notice === EXPIRED_WITH_CAUSE;
      this.end(new Ending(expired, notice === EXPIRED ? announced : cause && unpack(cause)));
    };
    // Whoever has sent it is no more.
    port.addEventListener?.("close", () => {
      this.end(plainEnding());
    });
    port.unref?.();
    if (owner !== null) this.linkTo(owner);
    // Born ended: its deadline has passed.
    if (this.ending !== null) this.ended();
  }

  override get listens(): boolean {
    return true;
  }

  protected override ended(): void {
    this.#port.close();
    this.#cancelDeadline?.();
    super.ended();
  }

  override get label(): string {
    return "received";
  }
}

/** A context that has come in a call. */
export class Received {
  readonly ctx: Context;
  /** Undefined of one that never ends. */
  readonly node: Node | undefined;

  constructor(ctx: Context, node: Node | undefined) {
    this.ctx = ctx;
    this.node = node;
  }

  /** How it has ended, after a close look; null while live. */
  poll(): Ending | null {
    return this.node?.poll() ?? null;
  }

  /** The call it came in is over: stray work it left behind sees that at its next poll. */
  finish(ending = over): void {
    this.node?.end(ending);
  }
}

/** The context again. Never throws: one that cannot be read has ended. */
export function receive(wire: ContextWire): Received {
  try {
    return read(wire);
  } catch (cause) {
    const ending = new Ending(false, new TypeError("the context that was sent cannot be read", { cause }));
    return endedNode(undefined, ending);
  }
}

function read(wire: ContextWire): Received {
  switch (wire[0]) {
    case ROOT:
      return new Received(valuesOf(wire[1]), undefined);
    case ENDED: {
      const [, expired, cause, , values] = wire;
      return endedNode(values, new Ending(expired, cause && unpack(cause)));
    }
    case SHARED: {
      const watch = new SlotWatch(wire[1], wire[2], wire[3], wire[4], deadlineOf(wire[5]), wire[7]);
      const node = new ReceivedNode(valuesOf(wire[6]), watch);
      // Now, when nobody waits: whoever polls it sees its end the sooner.
      prepareEnding();
      return new Received(node, node);
    }
    case PORT:
      return receivePort(wire);
    default:
      wire satisfies never;
      throw new TypeError("unknown type");
  }
}

function deadlineOf(wire: DeadlineWire): Deadline | undefined {
  return wire && { when: wire[0], wall: wire[1], cause: wire[2] };
}

function endedNode(values: ValuesWire, ending: Ending): Received {
  const node = new Node(valuesOf(values), null, null);
  node.end(ending);
  return new Received(node, node);
}

function receivePort([, port, wire, values]: ContextWire & { readonly 0: typeof PORT }): Received {
  if (typeof port.postMessage !== "function") throw new TypeError("no port");
  let parent = valuesOf(values);
  let cancel: CancelFunc | undefined;
  const deadline = deadlineOf(wire);
  const announced = deadline?.cause && unpack(deadline.cause);
  if (deadline !== undefined) [parent, cancel] = withTimeout(parent, dueOf(deadline) - now(), announced);
  const node = new PortNode(parent, port, announced, cancel);
  return new Received(node, node);
}

/** Where what `node` hangs on has its notices, if these are another thread's: the nearest first. */
export function slotsBehind(node: Node): readonly SlotWire[] | undefined {
  const source = node.watch?.source;
  return source instanceof SlotWatch ? source.wires : undefined;
}
