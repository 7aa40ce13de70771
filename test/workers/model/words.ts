/**
 * The words of a lane as the model has them: a list for each kind, packed as docs/protocol.md says. Each function is one access, or
 * some that nobody can tell apart from one, and has the name of the method of Lane it stands for; lane-model.test.ts sees to it that the two do the same.
 */
import { type Claim, type Ended, LIVE, type Notice, OFFERED } from "../../../src/workers/lane.js";

export interface Words {
  readonly notices: number[];
  /** Stored plainly, and perhaps not seen by the other side yet: 0 where there is nothing. */
  readonly unseen: number[];
  readonly claims: number[];
  readonly awaits: number[];
  readonly ended: number[];
}

/** An access, as it was made, with what came of it. */
export type Access = readonly [
  name:
    | "offer"
    | "notice"
    | "post"
    | "move"
    | "stands"
    | "awaits"
    | "isAwaiting"
    | "report"
    | "ended"
    | "store",
  args: readonly number[],
  result: number | boolean | undefined,
];

/** Where accesses are noted, while somebody wants them. */
let notes: Access[] | undefined;

/** Calls `change`, and returns its accesses. */
export function accessesOf(change: () => void): Access[] {
  notes = [];
  try {
    change();
    return notes;
  } finally {
    notes = undefined;
  }
}

export function wordsOf(places: number): Words {
  const zeros = (): number[] => new Array<number>(places).fill(0);
  return { notices: zeros(), unseen: zeros(), claims: zeros(), awaits: zeros(), ended: zeros() };
}

function word(epoch: number, low: number): number {
  return (epoch << 3) | low;
}

/** The claim of a word, if the word is of this epoch. */
export function claimIn({ claims }: Words, epoch: number, place: number): Claim | undefined {
  const found = claims[place] as number;
  return found >> 3 === epoch ? ((found & 7) as Claim) : undefined;
}

export function offer({ notices, unseen, claims }: Words, epoch: number, count: number): void {
  notices.fill(word(epoch, LIVE), 0, count);
  unseen.fill(0, 0, count);
  claims.fill(word(epoch, OFFERED), 0, count);
  notes?.push(["offer", [epoch, count], undefined]);
}

/** What a poll reads. */
export function notice({ notices }: Words, place: number): number {
  const result = notices[place] as number;
  notes?.push(["notice", [place], result]);
  return result;
}

/**
 * The store in the walk through the tree. Nothing orders it with what main reads after it: the other side may see it much later,
 * though not after the next store to the same word.
 */
export function postPlainly({ unseen }: Words, epoch: number, place: number, value: Notice): void {
  unseen[place] = word(epoch, value);
}

/** A plain store comes to be seen. */
export function show({ notices, unseen }: Words, place: number): void {
  const value = unseen[place] as number;
  notices[place] = value;
  unseen[place] = 0;
  notes?.push(["post", [value >> 3, place, value & 7], undefined]);
}

export function post({ notices, unseen }: Words, epoch: number, place: number, value: Notice): void {
  notices[place] = word(epoch, value);
  unseen[place] = 0;
  notes?.push(["post", [epoch, place, value], undefined]);
}

export function move({ claims }: Words, epoch: number, place: number, from: Claim, to: Claim): boolean {
  const result = claims[place] === word(epoch, from);
  if (result) claims[place] = word(epoch, to);
  notes?.push(["move", [epoch, place, from, to], result]);
  return result;
}

/** No method of Lane: what a wrong protocol would do in place of `move`. */
export function store({ claims }: Words, epoch: number, place: number, to: Claim): true {
  claims[place] = word(epoch, to);
  notes?.push(["store", [epoch, place, to], undefined]);
  return true;
}

export function stands({ claims }: Words, epoch: number, place: number, state: Claim): boolean {
  const result = claims[place] === word(epoch, state);
  notes?.push(["stands", [epoch, place, state], result]);
  return result;
}

export function awaits({ awaits: words }: Words, epoch: number, place: number): void {
  words[place] = epoch;
  notes?.push(["awaits", [epoch, place], undefined]);
}

export function isAwaiting({ awaits: words }: Words, epoch: number, place: number): boolean {
  const result = words[place] === epoch;
  notes?.push(["isAwaiting", [epoch, place], result]);
  return result;
}

export function report({ ended: words }: Words, place: number, how: Ended): void {
  words[place] = how;
  notes?.push(["report", [place, how], undefined]);
}

export function ended({ ended: words }: Words, place: number): Ended {
  const result = words[place] as Ended;
  notes?.push(["ended", [place], result]);
  return result;
}
