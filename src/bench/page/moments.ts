/** What is measured of a cancellation: how each moment is called and drawn, the same all over the page. */

type Mark = "circle" | "rect" | "triangle" | "diamond" | "none";

export interface Stroke {
  /** A CSS colour. */
  readonly color: string;
  /** Dashes and gaps in px; empty for a solid line. Told apart by more than by colour. */
  readonly dash: readonly number[];
  readonly symbol: Mark;
}

export interface Moment extends Stroke {
  readonly key: "cancel" | "seen" | "stopped" | "settled" | "next";
  /** What it is, as the page explains it. */
  readonly meaning: string;
  /** As the timeline says it. */
  readonly event: string;
}

export const moments = {
  cancel: {
    key: "cancel",
    meaning: "the call of cancel() itself",
    event: "cancel() has returned",
    color: "var(--cancel)",
    dash: [2, 3],
    symbol: "none",
  },
  seen: {
    key: "seen",
    meaning: "the task's thread knows that the context has ended",
    event: "the task sees it",
    color: "var(--seen)",
    dash: [],
    symbol: "circle",
  },
  stopped: {
    key: "stopped",
    meaning: "the task's function has ended; after a hard stop, the main thread knows",
    event: "its function has ended",
    color: "var(--stopped)",
    dash: [9, 4],
    symbol: "rect",
  },
  settled: {
    key: "settled",
    meaning: "the task's result has settled on the main thread",
    event: "its result has settled",
    color: "var(--settled)",
    dash: [4, 3],
    symbol: "diamond",
  },
  next: {
    key: "next",
    meaning: "the thread, or the one that took its place, has begun the next task",
    event: "the next task has begun",
    color: "var(--next)",
    dash: [10, 3, 2, 3],
    symbol: "triangle",
  },
} as const satisfies { readonly [K in Moment["key"]]: Moment & { readonly key: K } };

/** In the order in which they are told. */
export const momentsInOrder: readonly Moment[] = Object.values(moments);

/** The bare primitives beside it. */
export const bareStroke: Stroke = { color: "var(--bare)", dash: [1, 3], symbol: "none" };
