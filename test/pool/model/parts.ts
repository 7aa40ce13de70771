/** What a task does that plays a part (fixture gated.mjs), and what the rules of a pool are that it plays it in. */
import type { Outcome } from "lifeguard";

export interface Part {
  /** It waits at a gate of its own, until that is opened. */
  readonly gated: boolean;
  /** How it learns, at the gate, that its context has ended. */
  readonly hears: "never" | "polls" | "awaits";
  /** Behind the gate. `unsendable` never begins: one of its arguments cannot be cloned. */
  readonly ends: "returns" | "throws" | "exits" | "uncloneable" | "unsendable";
  /** At the gate, when it has heard. */
  readonly heeds: "gives up" | "returns" | "throws";
}

/** As the fixture reads it. */
export function codeOf({ gated, hears, ends, heeds }: Part): string {
  return [gated ? "gated" : "quick", hears, ends, heeds].join(", ");
}

export function briefly({ gated, hears, ends, heeds }: Part): string {
  const heeding = gated && hears !== "never" ? `, ${hears} and ${heeds}` : "";
  return `${gated ? "gated" : "quick"}, ${ends}${heeding}`;
}

/** How it ends by itself: the outcome, and what its result tells, as `told` of real.ts says it. */
export function endOf({ ends }: Part, id: number): { outcome: Outcome; told: string } {
  switch (ends) {
    case "returns":
      return { outcome: "completed", told: `value ${id}` };
    case "throws":
      return { outcome: "failed", told: `error task ${id}` };
    case "exits":
      return { outcome: "crashed", told: "error ERR_WORKER_CRASHED" };
    case "uncloneable":
    case "unsendable":
      return { outcome: "failed", told: "error ERR_NOT_CLONEABLE" };
  }
}

/** How it ends when it has heard that its context has ended, with this code. */
export function heedOf({ heeds }: Part, id: number, code: string): { outcome: Outcome; told: string } {
  switch (heeds) {
    case "gives up":
      return { outcome: "stopped", told: `error ${code}` };
    case "returns":
      return { outcome: "completed", told: `value ${id}` };
    case "throws":
      return { outcome: "failed", told: `error task ${id}` };
  }
}

/** A pool, as far as it differs from others. */
export interface Rules {
  readonly threads: number;
  readonly spares: number;
  readonly order: "fifo" | "deadline";
  readonly maxQueue: number;
  readonly grace: number;
  /** Its tasks are known to be short, so that they go to a thread several at a time. */
  readonly together: boolean;
}
