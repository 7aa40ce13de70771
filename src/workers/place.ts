/** Where a task stands in its worker, and the way from its contexts to it. */
import { internalKey } from "../context/keys.js";
import type { Lane } from "./lane.js";
import type { Mailbox } from "./mailbox.js";

export interface Place {
  readonly lane: Lane;
  readonly mailbox: Mailbox;
  readonly epoch: number;
  /** In the lane. */
  readonly at: number;
  /** The task is over: the place may be another one's. */
  isLeft: boolean;
}

export const placeKey = internalKey<Place>("place");
