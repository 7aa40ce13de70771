/** Contexts as users write them, and one of every kind that the library makes. */
import {
  background,
  type Context,
  type ContextError,
  type ContextKey,
  contextKey,
  Group,
  todo,
  withCancel,
  withDeadline,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { openableGate } from "./gate.js";

/** Passes every question on to another context: a wrapper that adds nothing. */
export class Delegating implements Context {
  readonly #inner: Context; // private: nothing about it keeps it from being cloned
  constructor(inner: Context) {
    this.#inner = inner;
  }
  deadline(): number | undefined {
    return this.#inner.deadline();
  }
  done(): Promise<void> {
    return this.#inner.done();
  }
  err(): ContextError | undefined {
    return this.#inner.err();
  }
  value<T>(key: ContextKey<T>): T | undefined {
    return this.#inner.value(key);
  }
  throwIfDone(): void {
    this.#inner.throwIfDone();
  }
  get signal(): AbortSignal {
    return this.#inner.signal;
  }
}

/** Answers for one value itself and delegates everything else. */
export class Labelled<L> extends Delegating {
  readonly #key: ContextKey<L>;
  readonly #label: L;
  constructor(inner: Context, key: ContextKey<L>, label: L) {
    super(inner);
    this.#key = key;
    this.#label = label;
  }
  override value<T>(key: ContextKey<T>): T | undefined {
    return (key as unknown) === this.#key ? (this.#label as unknown as T) : super.value(key);
  }
}

/** Takes only the values of another context and ends when it is told to, with the error it is told. */
export class Independent extends Delegating {
  readonly #controller = new AbortController();
  readonly #gate = openableGate();
  readonly #deadline: number | undefined;
  #err: ContextError | undefined;
  constructor(values: Context = background, deadline?: number) {
    super(values);
    this.#deadline = deadline;
  }
  end(err: ContextError): void {
    this.#err = err;
    this.#gate.open();
    this.#controller.abort(err);
  }
  override deadline(): number | undefined {
    return this.#deadline;
  }
  override done(): Promise<void> {
    return this.#gate.opened;
  }
  override err(): ContextError | undefined {
    return this.#err;
  }
  override throwIfDone(): void {
    if (this.#err !== undefined) throw this.#err;
  }
  override get signal(): AbortSignal {
    return this.#controller.signal;
  }
}

/** The error of a context that was cancelled, with this cause where one is given. */
export function canceledError(cause?: unknown): ContextError {
  const [ctx, cancel] = withCancel(background);
  cancel(cause);
  return errorOf(ctx);
}

/** The error of a context whose deadline has passed. */
export function expiredError(cause?: unknown): ContextError {
  return errorOf(withTimeout(background, 0, cause)[0]);
}

/** `ctx.err()`, where the test is wrong if there is none. */
export function errorOf(ctx: Context): ContextError {
  const err = ctx.err();
  if (err === undefined) throw new Error("expected a context that has ended");
  return err;
}

/** A live context of every kind the library makes, by name. */
export function everyKind(): (readonly [kind: string, ctx: Context])[] {
  const far = 3_600_000;
  return [
    ["background", background],
    ["todo", todo],
    ["withCancel", withCancel(background)[0]],
    ["withTimeout", withTimeout(background, far)[0]],
    ["withTimeout without end", withTimeout(background, Infinity)[0]],
    ["withDeadline", withDeadline(background, Date.now() + far)[0]],
    ["withValue", withValue(background, contextKey("kind"), "withValue")],
    ["withValue below a cancellable", withValue(withCancel(background)[0], contextKey("kind"), 1)],
    ["withoutCancel", withoutCancel(withCancel(background)[0])],
    ["withSignal", withSignal(background, new AbortController().signal)[0]],
    ["Group.ctx", new Group(background).ctx],
    ["withCancel below a custom parent", withCancel(new Independent())[0]],
    ["withTimeout below a custom parent", withTimeout(new Independent(), far)[0]],
    [
      "withTimeout below a custom parent's earlier deadline",
      withTimeout(new Independent(background, Date.now()), far)[0],
    ],
    ["withSignal below a custom parent", withSignal(new Independent(), new AbortController().signal)[0]],
    ["withValue below a custom parent", withValue(new Independent(), contextKey("kind"), 1)],
    ["withoutCancel below a custom parent", withoutCancel(new Independent())],
    [
      "withCancel below a value below a custom parent",
      withCancel(withValue(new Independent(), contextKey("kind"), 1))[0],
    ],
    ["below a delegating parent", withCancel(new Delegating(withCancel(background)[0]))[0]],
    [
      "below a delegating parent of one below a value",
      withCancel(new Delegating(withCancel(withValue(background, contextKey("kind"), 1))[0]))[0],
    ],
  ];
}
