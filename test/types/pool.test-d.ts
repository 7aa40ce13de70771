/** What the compiler says of a pool, given the type of its task module. Checked by `npm run typecheck`; never runs. */
import {
  type Batch,
  background,
  type Context,
  type Input,
  type MapOptions,
  Pool,
  type PoolTasks,
  type Result,
  type Task,
  type TaskArgs,
  type TaskName,
} from "lifeguard";

type Tasks = typeof import("../fixtures/typed-tasks.js");

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
/** Compiles only if its argument is true. */
type Holds<T extends true> = T;

declare const pool: Pool<Tasks>;
declare const untyped: Pool;
const bytes = new Uint8Array(3);

// Results are awaited, arguments come after the context.
export type Check1 = Holds<Same<Result<Tasks, "countPrimes">, number>>;
export type Check2 = Holds<Same<Result<Tasks, "load">, string>>;
export type Check3 = Holds<Same<TaskArgs<Tasks["countPrimes"]>, [from: number, to: number]>>;
export type Check4 = Holds<Same<TaskArgs<Tasks["load"]>, [file: string, encoding?: "utf8" | undefined]>>;
export type Check5 = Holds<Same<TaskArgs<Tasks["noArguments"]>, []>>;
export type Check6 = Holds<Same<TaskArgs<Tasks["nothingAtAll"]>, []>>;
const primes: Promise<number> = pool.run(background, "countPrimes", 1, 10);
const text: Promise<string> = pool.run(background, "load", "a.txt");
const task: Task<number> = pool.submit(background, "countPrimes", [1, 10], { priority: 1, grace: 10 });
const viaTasks: Promise<number> = pool.tasks.countPrimes(background, 1, 10);

// Only functions are tasks.
export type Check7 = Holds<
  Same<
    TaskName<Tasks>,
    "countPrimes" | "load" | "first" | "parse" | "noArguments" | "nothingAtAll" | "notATask" | "then"
  >
>;

// @ts-expect-error a name the module does not export
void pool.run(background, "countPrime", 1, 10);
// @ts-expect-error an export that is no function
void pool.run(background, "limit");
// @ts-expect-error a string where a number belongs
void pool.run(background, "countPrimes", "1", 10);
// @ts-expect-error an argument is missing
void pool.run(background, "countPrimes", 1);
// @ts-expect-error one argument too many
void pool.run(background, "noArguments", 1);
// @ts-expect-error arguments of a submission come as an array
void pool.submit(background, "countPrimes", 1, 10);
// @ts-expect-error the context goes first
void pool.run("countPrimes", 1, 10);
// @ts-expect-error an argument of the wrong type by way of `tasks`
void pool.tasks.countPrimes(background, "1", 10);
// @ts-expect-error a task that does not exist by way of `tasks`
export type Missing = PoolTasks<Tasks>["countPrime"];
// @ts-expect-error no table of numbers is a task
export type NoTask = PoolTasks<Tasks>["table"];

// The compiler's message says what is wrong with a function that takes no context.
export type Check8 = Holds<
  Same<TaskArgs<Tasks["notATask"]>, [error: "not a task: its first parameter must be a Context"]>
>;
// @ts-expect-error its first parameter is no context
void pool.run(background, "notATask", "text");

// Generics and overloads of functions that return promises survive.
const firstNumber: Promise<number | undefined> = pool.tasks.first(background, [1, 2, 3]);
const parsedText: Promise<string> = pool.tasks.parse(background, "text");
const parsedBytes: Promise<number> = pool.tasks.parse(background, bytes);
// @ts-expect-error no overload takes a boolean
void pool.tasks.parse(background, true);

// What looks like a promise is left out.
export type Check9 = Holds<Same<"then" extends keyof PoolTasks<Tasks> ? true : false, false>>;
// @ts-expect-error a pool's tasks are not awaited by mistake
export type NoPromise = PoolTasks<Tasks>["then"];

// Without a type argument anything may be called, and results have to be looked at.
const unknownResult: Promise<unknown> = untyped.run(background, "anything", 1, "two", { three: 3 });
// @ts-expect-error the result is unknown
const wrong: Promise<number> = untyped.run(background, "anything");
void untyped.tasks.anything?.(background, 1);

// Batches: an input is the one argument after the context, whatever kind of iterable it comes from.
export type Check10 = Holds<Same<Input<Tasks, "load">, string>>;
export type Check11 = Holds<Same<Input<Tasks, "noArguments">, unknown>>;
export type Check12 = Holds<
  Same<Input<Tasks, "countPrimes">, [error: "not a task for map: it needs more than one argument"]>
>;
const batch: Batch<string> = pool.map(background, "load", ["a.txt", "b.txt"], { chunk: 10, concurrency: 2 });
const texts: Promise<string[]> = batch.results();
const records: Batch<PromiseSettledResult<string>> = pool.map(background, "load", new Set(["a.txt"]), {
  onError: "settle",
});
declare const names: AsyncIterable<string>;
const fromAsync: Batch<string> = pool.map(background, "load", names, { ordered: false });
const fromUntyped: Batch<unknown> = untyped.map(background, "anything", [1, "two"]);
// @ts-expect-error inputs of the wrong type
pool.map(background, "load", [1, 2]);
// @ts-expect-error it needs more than one argument
pool.map(background, "countPrimes", [1, 2]);
// @ts-expect-error a task that does not exist
pool.map(background, "lode", ["a.txt"]);
// @ts-expect-error one input is no iterable
pool.map(background, "load", 5);
// @ts-expect-error an option that does not exist
pool.map(background, "load", ["a.txt"], { limit: 2 });
// @ts-expect-error no such chunk
pool.map(background, "load", ["a.txt"], { chunk: "all" });
// Where the compiler cannot know, it is either.
declare const either: MapOptions;
const unclear: Batch<string | PromiseSettledResult<string>> = pool.map(background, "load", ["a.txt"], either);
// @ts-expect-error they may be records
const notSure: Batch<string> = pool.map(background, "load", ["a.txt"], either);
export type Check13 = Holds<Same<Input<typeof rests, "sum">, number>>;
declare const rests: { sum: (ctx: Context, first: number, ...others: number[]) => number };
// @ts-expect-error records are not results
const notRecords: Batch<string> = pool.map(background, "load", ["a.txt"], { onError: "settle" });

// Options.
new Pool<Tasks>(new URL("file:///tasks.js"), { threads: 2, order: "deadline", onOverrun: "terminate" });
new Pool<Tasks>(new URL("file:///tasks.js"), { onOverrun: "interrupt", watchdog: true });
// @ts-expect-error no such order
new Pool<Tasks>("/tasks.js", { order: "lifo" });
// @ts-expect-error an option that does not exist
new Pool<Tasks>("/tasks.js", { maxThreads: 2 });

export const kept = [
  primes,
  text,
  task,
  viaTasks,
  firstNumber,
  parsedText,
  parsedBytes,
  unknownResult,
  wrong,
  texts,
  records,
  fromAsync,
  fromUntyped,
  notRecords,
  unclear,
  notSure,
];
export const mustBeAContext: (ctx: Context) => Promise<void> = (ctx) => pool.ready(ctx);
