/** Which slot of which page a context gets that is sent, and where its cause lies. One allocator for a thread. */
import type { Ending } from "../context/ending.js";
import type { Carried } from "../workers/carry.js";
import { type Notice, nextEpoch } from "../workers/lane.js";
import { Causes } from "../workers/terms.js";
import { briefCauseBytes, causeBytes } from "./cause-bytes.js";
import { ARENA_FROM, ARENA_TO, Page, RESERVE_BYTES, SLOTS } from "./page.js";

/** A page with less left for causes is not handed out any more, so that most causes of its contexts fit as they are. */
const TIGHT = (ARENA_TO - ARENA_FROM) / 4;

/** A page on the side that writes it. */
class OwnPage {
  readonly page: Page;
  readonly #epochs = new Int32Array(SLOTS);
  /** Slots that were never used. */
  #fresh = 0;
  /** Up to where the arena is taken. */
  #used = ARENA_FROM;
  readonly #causes = new Causes();
  #lastCause: { readonly ending: Ending; readonly from: number; readonly length: number } | undefined;

  constructor() {
    // Apart from all other pages of all threads, without asking them.
    this.page = new Page(Math.floor(Math.random() * Number.MAX_SAFE_INTEGER));
  }

  get hasFresh(): boolean {
    return this.#fresh < SLOTS;
  }

  takeFresh(): number {
    return this.#fresh++;
  }

  open(at: number): number {
    const epoch = nextEpoch(this.#epochs[at] as number);
    this.#epochs[at] = epoch;
    this.page.open(at, epoch);
    return epoch;
  }

  get isTight(): boolean {
    return ARENA_TO - this.#used < TIGHT;
  }

  /** Once for all slots of the page that end together. */
  putCause(at: number, ending: Ending, notice: Notice): void {
    if (this.#lastCause?.ending !== ending) {
      const carried = this.#causes.of(ending, notice as Exclude<Notice, 0>);
      if (carried === undefined) return;
      const bytes = causeBytes(carried, ARENA_TO - this.#used);
      if (bytes === undefined) {
        this.#putInReserve(at, carried);
        return;
      }
      this.page.causes().set(bytes, this.#used);
      this.#lastCause = { ending, from: this.#used, length: bytes.length };
      this.#used += bytes.length;
    }
    this.page.pointToCause(at, this.#lastCause.from, this.#lastCause.length);
  }

  #putInReserve(at: number, carried: Carried): void {
    const bytes = briefCauseBytes(carried, RESERVE_BYTES);
    this.page.causes().set(bytes, at * RESERVE_BYTES);
    this.page.pointToCause(at, at * RESERVE_BYTES, bytes.length);
  }
}

let current: OwnPage | undefined;
let free: Slot[] = [];
let inUse = 0;

/** The place of one context that was sent. */
export class Slot {
  readonly #own: OwnPage;
  readonly at: number;
  epoch = 0;

  constructor(own: OwnPage, at: number) {
    this.#own = own;
    this.at = at;
  }

  static take(): Slot {
    inUse++;
    let slot = free.pop();
    if (slot === undefined) {
      if (current?.hasFresh !== true || current.isTight) current = new OwnPage();
      slot = new Slot(current, current.takeFresh());
    }
    slot.epoch = slot.#own.open(slot.at);
    return slot;
  }

  get page(): Page {
    return this.#own.page;
  }

  post(notice: Notice): void {
    this.page.post(this.at, this.epoch, notice);
  }

  wake(): void {
    this.page.wake(this.at, this.epoch);
  }

  putCause(ending: Ending, notice: Notice): void {
    this.#own.putCause(this.at, ending, notice);
  }

  /**
   * Nobody here writes to it any more.
   *
   * @param isRead whether nobody there reads it either, but for work that was left behind: then another context may have it, with
   * another epoch. Otherwise it goes with its page, when that is collected
   */
  leave(isRead: boolean): void {
    inUse--;
    if (!isRead) return;
    if (!this.#own.isTight) free.push(this);
    // Those of a page that is given up.
    else free = free.filter((slot) => slot.#own !== this.#own);
  }
}

/** How many contexts of this thread are on other threads' minds. */
export function slotsInUse(): number {
  return inUse;
}
