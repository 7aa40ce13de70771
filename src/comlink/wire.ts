/** What goes over a comlink endpoint in place of a context. Types, but for the names of the handlers. */
import type { Carried } from "../workers/carry.js";
import type { Notice } from "../workers/lane.js";

/** The handler's name on both sides: of a context, and comlink's own for what is thrown and for proxies. */
export const CONTEXT = "lifeguard.context";
export const THROW = "throw";
export const PROXY = "proxy";

/** A slot of a page, and what its notice has to speak of. */
export type SlotWire = readonly [page: SharedArrayBuffer, pageId: number, slot: number, epoch: number];

/** Values under shared keys, by the keys' names. */
export type ValuesWire = Map<string, unknown> | undefined;

/** When the deadline is, on the clock all threads share, in ms, and in ms since the epoch; and its cause, undefined for none. */
export type DeadlineWire = readonly [when: number, wall: number, cause: Carried | undefined] | undefined;

/** Never ends. */
export const ROOT = 0;
/** Has ended. */
export const ENDED = 1;
/** Has a slot. */
export const SHARED = 2;
/** Without shared memory: its end comes as a message. */
export const PORT = 3;

/** A context. Arrays, since an object's keys cost as much again to clone as all the rest (bench/comlink); most have the first two of a slot only. */
export type ContextWire =
  | readonly [type: typeof ROOT, values: ValuesWire]
  | readonly [
      type: typeof ENDED,
      expired: boolean,
      cause: Carried | undefined,
      deadline: DeadlineWire,
      values: ValuesWire,
    ]
  /** `under`: where what it was derived from, on a third thread, has its notice; and what that one was, and so on. */
  | readonly [
      type: typeof SHARED,
      ...slot: SlotWire,
      deadline?: DeadlineWire,
      values?: ValuesWire,
      under?: readonly SlotWire[] | undefined,
    ]
  | readonly [type: typeof PORT, port: PortLike, deadline: DeadlineWire, values: ValuesWire];

/** What comes through the port of a context, once. */
export interface PortNotice {
  readonly notice: Exclude<Notice, 0>;
  readonly cause: Carried | undefined;
}

/** A MessagePort, in Node or in a browser, as far as is needed. */
export interface PortLike {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: unknown): void;
  addEventListener?(type: "close", listener: () => void): void;
  close(): void;
  /** Node's. */
  unref?(): void;
}

/** What comlink's handler for what is thrown sends, with ours beside it: stock handlers read the one, ours the other. */
export type ThrownWire =
  | ({ readonly isError: true; readonly value: { message: string; name: string; stack: string } } & Extra)
  | ({ readonly isError: false; readonly value: unknown } & Extra);

interface Extra {
  readonly lifeguard?: Carried;
  /** It was thrown because a context of the call had ended. */
  gaveUp?: true;
}

/** A value as comlink sends it: an argument, or an answer. */
export interface WireValue {
  readonly type: string;
  readonly name?: string | undefined;
  value?: unknown;
}
