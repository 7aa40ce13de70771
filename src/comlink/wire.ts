/** What goes over a comlink endpoint in place of a context. Types, but for the names of the handlers. */
import type { Carried } from "../workers/carry.js";
import type { Notice } from "../workers/lane.js";
import type { Deadline } from "../workers/messages.js";

/** The handler's name on both sides: of a context, and comlink's own for what is thrown and for proxies. */
export const CONTEXT = "lifeguard.context";
export const THROW = "throw";
export const PROXY = "proxy";

/** A slot of a page, and what its notice has to speak of. */
export interface SlotWire {
  readonly page: SharedArrayBuffer;
  readonly pageId: number;
  readonly slot: number;
  readonly epoch: number;
}

interface Terms {
  readonly deadline: Deadline | undefined;
  /** Values under shared keys, by the keys' names. */
  readonly values: Map<string, unknown> | undefined;
}

export type ContextWire =
  /** Never ends. */
  | { readonly type: "root"; readonly values: Map<string, unknown> | undefined }
  /** Has ended. */
  | (Terms & { readonly type: "ended"; readonly expired: boolean; readonly cause: Carried | undefined })
  /** `under`: where what it was derived from, on a third thread, has its notice. */
  | (Terms & SlotWire & { readonly type: "shared"; readonly under: SlotWire | undefined })
  /** Without shared memory: its end comes as a message. */
  | (Terms & { readonly type: "port"; readonly port: PortLike });

/** What comes through the port of a context, once. */
export interface PortNotice {
  readonly notice: Exclude<Notice, 0>;
  readonly cause: Carried | undefined;
}

/** A MessagePort, in Node or in a browser, as far as is needed. */
export interface PortLike {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: unknown): void;
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
