// @ts-check
/**
 * A tour of lifeguard on real work: which licences and readmes of the installed packages are near copies of each
 * other? `--help` tells the options.
 */
import {
  background,
  Group,
  isContextError,
  Pool,
  withCancel,
  withProcessSignal,
  withTimeout,
} from "lifeguard";
import { parse, UsageError, usage } from "./options.mjs";
import { families, Ledger } from "./report.mjs";
import { bar, bold, dim, number, say, showing } from "./screen.mjs";
import { distance } from "./tasks.mjs";
import { collect, wordyLine } from "./texts.mjs";

/** @typedef {import("lifeguard").Context} Context */
/** @typedef {import("./texts.mjs").Text} Text */
/** @typedef {import("./report.mjs").Pair} Pair */

/** At least this much of the longer text is the same in near copies. */
const ALIKE = 0.9;
/** The grace of this pool, ms: the default, said here because the report speaks of it. */
const GRACE = 250;

/** @type {ReturnType<typeof parse>} */
let options;
try {
  options = parse(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`tour: ${error.message}\nTry: node examples/tour/main.mjs --help\n`);
  process.exit(2);
}
if (options.help) {
  process.stdout.write(usage);
  process.exit(0);
}

const { files, different, texts } = collect(options.files);
if (texts.length < 2) {
  process.stderr.write("tour: there is nothing to compare in node_modules: run npm ci first\n");
  process.exit(1);
}
const ledger = new Ledger();

/** @type {Pool<typeof import("./tasks.mjs")>} */
const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads: options.threads, grace: GRACE });

// The root of everything below. The first Ctrl-C ends it, and what is derived from it; the second one is the system's.
const [main, stopListening] = withProcessSignal(background, "SIGINT");

try {
  say(
    `${number(files, "licence")} and readmes in node_modules, ${number(different)} of them different; ` +
      `comparing ${number(texts.length)}.`,
  );
  say(`${number(options.threads, "thread")}. Press Ctrl-C at any time: what has begun is cancelled.`);
  // Otherwise the first deadlines would run while the threads start. Rejects when Ctrl-C is quicker.
  await pool.ready(main).catch(ignoreEndOfContext);
  const pairs = pairsOf(texts);
  for (const act of [
    () => compareEach(main, pairs),
    () =>
      estimateEach(
        main,
        pairs.filter((pair) => pair.distance === undefined),
      ),
    () => cancelMidway(main),
    () => stopHard(main),
  ]) {
    if (main.err() === undefined) await act();
  }
  if (main.err() !== undefined) say(`\n${bold("Ctrl-C.")} The rest is left out.`);
  ledger.print();
  await proveWhole();
} finally {
  await pool.destroy();
}
// Had it come at the very end, too: who pressed Ctrl-C shall see it in the exit code, 128 and the number of the signal.
if (main.err() !== undefined) process.exitCode = 130;
stopListening();

/**
 * Act 1: every pair with a deadline of its own. A Group starts as many as there are threads, so that no deadline runs
 * while its task waits.
 *
 * @param {Context} parent
 * @param {Pair[]} pairs
 */
async function compareEach(parent, pairs) {
  title(1, `${number(pairs.length, "pair")} of texts, ${options.deadline} ms for each`);
  const entries = ledger.act("1 compare");
  const group = new Group(parent, { limit: options.threads });
  await showing(
    () => [`  ${bar(entries.length / pairs.length)}  ${entries.summary()}`, ...entries.running()],
    async () => {
      for (const pair of pairs) {
        void group.go(async (ctx) => {
          // A Group starts what it was given, also after its end.
          if (ctx.err() !== undefined) return;
          const [limited, cancel] = withTimeout(ctx, options.deadline);
          const task = pool.submit(limited, "distance", [pair.a.text, pair.b.text]);
          try {
            pair.distance = await entries.follow(limited, task, nameOf(pair));
          } catch (error) {
            ignoreEndOfContext(error);
          } finally {
            cancel();
          }
        });
      }
      await group.wait();
    },
  );
  say(`  ${entries.summary()}`);
  for (const line of families(pairs, ALIKE)) say(`  ${line}`);
}

/**
 * Act 2: those that were too long, with an anytime algorithm, which has an answer when its deadline comes. `run` and
 * `result` resolve then, although the context has ended.
 *
 * @param {Context} parent
 * @param {Pair[]} missed
 */
async function estimateEach(parent, missed) {
  const pairs = missed.slice(0, 100);
  title(
    2,
    `${number(pairs.length, "pair")} that took too long, for an upper bound in ${options.deadline} ms`,
  );
  if (pairs.length === 0) {
    say("  Every comparison was in time.");
    return;
  }
  const entries = ledger.act("2 estimate");
  const group = new Group(parent, { limit: options.threads });
  let exact = 0;
  let bounded = 0;
  let alike = 0;
  await showing(
    () => [`  ${bar(entries.length / pairs.length)}  ${entries.summary()}`, ...entries.running()],
    async () => {
      for (const pair of pairs) {
        void group.go(async (ctx) => {
          // A Group starts what it was given, also after its end.
          if (ctx.err() !== undefined) return;
          const [limited, cancel] = withTimeout(ctx, options.deadline);
          const task = pool.submit(limited, "estimate", [pair.a.text, pair.b.text]);
          try {
            const best = await entries.follow(limited, task, nameOf(pair));
            const size = Math.max(pair.a.text.length, pair.b.text.length);
            if (best.exact) exact++;
            if (best.atMost < size) bounded++;
            if (best.atMost <= (1 - ALIKE) * size) alike++;
          } catch (error) {
            ignoreEndOfContext(error);
          } finally {
            cancel();
          }
        });
      }
      await group.wait();
    },
  );
  say(`  ${entries.summary()}`);
  say(
    `  ${number(bounded, "upper bound")}, ${number(exact)} of them exact; ` +
      `${number(alike)} near copies among them after all.`,
  );
}

/**
 * Act 3: long texts, all submitted at once under one context, which is cancelled midway: what runs stops, what waits
 * never begins.
 *
 * @param {Context} parent
 */
async function cancelMidway(parent) {
  const long = texts
    .filter(({ text }) => text.length <= 12 * 1024)
    .sort((a, b) => b.text.length - a.text.length);
  const pairs = pairsOf(long.slice(0, 10), 0);
  const enough = Math.ceil(pairs.length / 6);
  title(3, `${number(pairs.length, "pair")} of long texts at once, cancelled after ${enough}`);
  const entries = ledger.act("3 cancel midway");
  const [ctx, cancel] = withCancel(parent);
  await showing(
    () => [`  ${bar(entries.length / pairs.length)}  ${entries.summary()}`, ...entries.running()],
    () =>
      Promise.all(
        pairs.map(async (pair) => {
          const task = pool.submit(ctx, "distance", [pair.a.text, pair.b.text]);
          try {
            await entries.follow(ctx, task, nameOf(pair));
            if (entries.length >= enough) cancel(new Error("that was enough"));
          } catch (error) {
            ignoreEndOfContext(error);
          }
        }),
      ),
  );
  cancel();
  say(`  ${entries.summary()}`);
}

/**
 * Act 4: on every thread a task that never polls. Its deadline passes, its grace passes, its thread is ended and
 * another one takes its place.
 *
 * @param {Context} parent
 */
async function stopHard(parent) {
  const line = wordyLine(texts);
  title(4, `a regular expression without end, on ${number(options.threads, "thread")}`);
  say(dim(`  /^(\\w+\\s?)+:$/ on "${line.length > 48 ? `${line.slice(0, 47)}…` : line}"`));
  const entries = ledger.act("4 never polls");
  const [ctx, cancel] = withTimeout(parent, 500);
  await showing(
    () => [`  ${entries.summary()}`],
    () =>
      Promise.all(
        Array.from({ length: options.threads }, async () => {
          try {
            await entries.follow(ctx, pool.submit(ctx, "isHeading", [line]), "isHeading");
          } catch (error) {
            ignoreEndOfContext(error);
          }
        }),
      ),
  );
  cancel();
  say(`  ${entries.summary()}`);
}

/** The proof: every thread of the pool works out a distance, and all are right. */
async function proveWhole() {
  await pool.ready();
  const { text } = texts.reduce((a, b) =>
    Math.abs(a.text.length - 4000) <= Math.abs(b.text.length - 4000) ? a : b,
  );
  const other = text.replaceAll("e", "");
  // A task is a plain function: the main thread can call it, too.
  const right = distance(background, text, other);
  const answers = await Promise.all(
    Array.from({ length: options.threads }, () => pool.run(background, "check", text, other)),
  );
  const threads = new Set(answers.map((answer) => answer.threadId)).size;
  const good = answers.filter((answer) => answer.distance === right).length;
  const stats = pool.stats();
  say(`\n${bold("The pool afterwards")}`);
  say(
    `  ${number(stats.threads, "thread")}, ${number(stats.idle)} idle, ${number(stats.stuck)} stuck; ` +
      `${number(stats.running, "task")} running, ${number(stats.queued)} queued`,
  );
  say(
    `  a fresh task on each of ${number(threads, "thread")}: ${number(good)} of ${number(answers.length)} right`,
  );
  if (threads !== options.threads || good !== threads || stats.stuck + stats.queued + stats.running > 0) {
    throw new Error("the pool is not whole");
  }
  say("  The pool is whole.");
}

/** @param {unknown} error */
function ignoreEndOfContext(error) {
  if (!isContextError(error)) throw error;
}

/**
 * Every two of the texts, except those that cannot be alike because one is so much longer.
 *
 * @param {Text[]} from
 * @param {number} [alike]
 * @returns {Pair[]}
 */
function pairsOf(from, alike = 0.7) {
  return from.flatMap((a, i) =>
    from
      .slice(i + 1)
      .filter((b) => Math.min(a.text.length, b.text.length) >= alike * Math.max(a.text.length, b.text.length))
      .map((b) => ({ a, b, distance: undefined })),
  );
}

/** @param {Pair} pair */
function nameOf({ a, b }) {
  return `${a.files[0]} · ${b.files[0]}`;
}

/**
 * @param {number} act
 * @param {string} text
 */
function title(act, text) {
  say(`\n${bold(`${act}. ${text}`)}`);
}
