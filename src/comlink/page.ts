/**
 * The shared memory of contexts that have been sent to other threads: pages of slots, one slot for each, and behind them the
 * arena, where causes lie. Owns where the words lie and who writes them; docs/protocol.md explains it word by word.
 */
import { LIVE, type Notice, noticeWord } from "../workers/lane.js";

/** Contexts that one page takes. */
export const SLOTS = 512;

const WORD = Int32Array.BYTES_PER_ELEMENT;
// A cache line is 64 bytes: what the two sides write lies on different ones, and so do two slots.
const LINE = 64 / WORD;
/** Counts the notices that somebody waits for; what receivers sleep on. */
const SIGNAL = 0;
const SLOTS_AT = LINE;
/** Of a slot: a line of the sender's … */
const NOTICE = 0;
const CAUSE_AT = 1;
const CAUSE_LENGTH = 2;
/** … and one of the receiver's. */
const AWAITS = LINE;
const SLOT_WORDS = 2 * LINE;
const CAUSES_AT = (SLOTS_AT + SLOTS * SLOT_WORDS) * WORD;
// What of it nobody writes to takes no memory.
export const PAGE_BYTES = 1024 * 1024;

export class Page {
  /** Tells pages apart, whichever thread they are from. */
  readonly id: number;
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  /** A view for each slot that was ever asked for: a poll reads `[0]`. */
  readonly #views: (Int32Array | undefined)[] = [];

  /** Given a buffer, the page that is there. */
  constructor(id: number, buffer = new SharedArrayBuffer(PAGE_BYTES)) {
    this.id = id;
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, CAUSES_AT / WORD);
  }

  // ---- the sender

  /** The slot is that of the context with this epoch from now on. */
  open(slot: number, epoch: number): void {
    Atomics.store(this.#words, at(slot, NOTICE), noticeWord(epoch, LIVE));
  }

  /** What a loop on the other side sees at its next poll. */
  post(slot: number, epoch: number, notice: Notice): void {
    Atomics.store(this.#words, at(slot, NOTICE), noticeWord(epoch, notice));
  }

  /** Wakes those that wait for a notice, if anybody waits for this one: to be called after `post`. */
  wake(slot: number, epoch: number): void {
    if (Atomics.load(this.#words, at(slot, AWAITS)) !== epoch) return;
    Atomics.add(this.#words, SIGNAL, 1);
    Atomics.notify(this.#words, SIGNAL);
  }

  /** Says where among the causes the slot's lies: to be called before `post`. */
  pointToCause(slot: number, from: number, length: number): void {
    this.#words[at(slot, CAUSE_AT)] = from;
    this.#words[at(slot, CAUSE_LENGTH)] = length;
  }

  /** Where causes lie: first a reserve for each slot, then the arena, which they share. */
  causes(): Uint8Array {
    return new Uint8Array(this.buffer, CAUSES_AT);
  }

  // ---- the receiver

  /** What a loop reads. */
  notice(slot: number): Int32Array {
    this.#views[slot] ??= new Int32Array(this.buffer, at(slot, NOTICE) * WORD, 1);
    return this.#views[slot];
  }

  /**
   * From now on somebody waits for this slot's notice. Look at the notice after this: the sender stores it and looks here, so at
   * least one of the two sees what the other did.
   */
  awaits(slot: number, epoch: number): void {
    Atomics.store(this.#words, at(slot, AWAITS), epoch);
  }

  /** The cause's bytes, of this thread alone. The notice has said that there is one. */
  cause(slot: number): Uint8Array {
    const from = this.#words[at(slot, CAUSE_AT)] as number;
    return this.causes().slice(from, from + (this.#words[at(slot, CAUSE_LENGTH)] as number));
  }

  /** How often somebody has been woken. */
  signals(): number {
    return Atomics.load(this.#words, SIGNAL);
  }

  /** Resolves when there have been more than `seen` of them; undefined: there have been. Keeps no process alive. */
  nextSignal(seen: number): Promise<unknown> | undefined {
    const { async, value } = Atomics.waitAsync(this.#words, SIGNAL, seen);
    return async ? value : undefined;
  }

  /** Ends the wait of this thread, and with it that of others, who look and wait again. */
  rouse(): void {
    Atomics.notify(this.#words, SIGNAL);
  }
}

function at(slot: number, word: number): number {
  return SLOTS_AT + slot * SLOT_WORDS + word;
}

/** Bytes that each slot has for a cause of its own, whatever the others have: for the least that is told of one. */
export const RESERVE_BYTES = 512;
/** Where among the causes the arena begins, and where it ends. */
export const ARENA_FROM = SLOTS * RESERVE_BYTES;
export const ARENA_TO = PAGE_BYTES - CAUSES_AT;
