/**
 * Arguments that are not sent themselves: something else goes over in their place, and the worker makes of it what the task gets.
 * How, is known to the adapter that has marked them (callbacks: src/comlink); the pool only carries them.
 */

/** What goes over in place of one argument, for one hand-over. */
export interface StandIn {
  readonly data: unknown;
  readonly transfers: readonly object[];
  /** The task is over, or was not begun: what it has sent until now is still taken in. Called once; calls no user code at once. */
  release(): void;
}

/** Marked arguments, and what makes a stand-in for each. */
export interface StandIns {
  /** What the worker loads: exports `revive(data)`. A file URL. */
  readonly module: string;
  readonly makers: WeakMap<object, () => StandIn>;
}

/** What `module` exports. */
export interface Reviver {
  revive(data: unknown): Revived;
}

export interface Revived {
  /** What the task gets. */
  readonly value: unknown;
  /** The task has ended, in its thread. Must not throw. */
  release(): void;
}

const registryName = Symbol.for("lifeguard.standIns");

/** One for all copies of the library in a thread; undefined while no adapter has marked anything. */
export function standIns(): StandIns | undefined {
  return (globalThis as { [registryName]?: StandIns })[registryName];
}

/** The same, made if it is not there. */
export function openStandIns(module: string): StandIns {
  const known = standIns();
  if (known !== undefined) return known;
  const made: StandIns = { module, makers: new WeakMap() };
  Object.defineProperty(globalThis, registryName, { value: made });
  return made;
}

/** Whether one of the arguments is marked. */
export function hasStandIn(args: readonly unknown[]): boolean {
  const registry = standIns();
  return registry !== undefined && args.some((arg) => makerOf(registry, arg) !== undefined);
}

/** What makes the stand-in of an argument; undefined for one that goes itself. */
export function makerOf({ makers }: StandIns, arg: unknown): (() => StandIn) | undefined {
  return (typeof arg === "object" && arg !== null) || typeof arg === "function" ? makers.get(arg) : undefined;
}
