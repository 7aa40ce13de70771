// @ts-check
/**
 * A search index as an actor: a class on a thread of its own, whose state is built once and stays warm there. Its methods
 * take contexts, so that a question nobody waits for any more costs nothing. `--help` tells the options.
 */
import { background, isContextError, sleep, withCancel, withProcessSignal, withTimeout } from "lifeguard";
import { proxy, spawn } from "lifeguard/comlink";
import { number, say } from "../progress/display.mjs";
import { parse } from "./options.mjs";

/** @typedef {import("lifeguard").Context} Context */
/** @typedef {import("lifeguard/comlink").Actor<import("./index.mjs").SearchIndex>} Index */

const options = parse(process.argv.slice(2));
const [main] = withProcessSignal(background, "SIGINT"); // the first Ctrl-C; a second one is the system's

say("Indexing the licences and readmes in node_modules. Ctrl-C stops it.");
try {
  /** @type {Index} */
  const index = await spawn(main, new URL("./index.mjs", import.meta.url), {
    export: "SearchIndex",
    args: [options.texts],
    name: "search index",
  });
  try {
    await build(main, index);
    if (options.words.length > 0) await ask(main, index, options.words.join(" "));
    else await show(main, index);
  } finally {
    await index[Symbol.asyncDispose](); // with `using` syntax: `await using index = await spawn(…)`
  }
} catch (error) {
  if (!isContextError(error) || main.err() === undefined) throw error;
}
if (main.err() !== undefined) {
  say("Ctrl-C: what was under way has stopped, and the index is gone.");
  process.exitCode = 130; // 128 and the number of SIGINT
}

/**
 * @param {Context} ctx
 * @param {Index} index
 */
async function build(ctx, index) {
  const began = performance.now();
  let quarters = 0;
  // It runs here, while the other thread goes on.
  const onProgress = proxy((/** @type {number} */ done, /** @type {number} */ total) => {
    if (Math.floor((4 * done) / total) === quarters) return;
    quarters = Math.floor((4 * done) / total);
    say(`  ${number(done)} of ${number(total)}`);
  });
  const { texts, words } = await index.build(ctx, onProgress);
  say(`${number(texts)} texts with ${number(words)} different words, in ${since(began)}.`);
}

/**
 * What can be asked, and how it ends.
 *
 * @param {Context} ctx
 * @param {Index} index
 */
async function show(ctx, index) {
  await ask(ctx, index, "shared memory");
  await type(ctx, index, "permision is herby granted");
  await hurry(ctx, index, "without waranty of any kind");
}

/**
 * From the index, or, where no text has all of the words, by reading all of them.
 *
 * @param {Context} ctx
 * @param {Index} index
 * @param {string} query
 */
async function ask(ctx, index, query) {
  const began = performance.now();
  const files = await index.find(ctx, query);
  say(`\n"${cut(query, 40)}": ${number(files.length)} texts, in ${since(began)}.`);
  for (const file of files.slice(0, 3)) say(`  ${cut(file, 76)}`);
  if (files.length === 0) await hurry(ctx, index, query);
}

/**
 * Search as you type: with each key there is a new question, and the one before is cancelled, wherever it is. The thread does
 * not finish what nobody wants to know.
 *
 * @param {Context} ctx
 * @param {Index} index
 * @param {string} text
 */
async function type(ctx, index, text) {
  say(`\nTyping "${text}", a key every ${options.every} ms.`);
  const counts = { answered: 0, cancelled: 0 };
  /** @param {string} typed @param {Context} question */
  const query = async (typed, question) => {
    try {
      const { hits } = await index.closest(question, typed);
      counts.answered++;
      return hits;
    } catch (error) {
      if (!isContextError(error)) throw error;
      counts.cancelled++;
      return [];
    }
  };
  let cancel = () => {};
  /** @type {ReturnType<typeof query>[]} */
  const questions = [];
  try {
    for (let length = 1; length <= text.length; length++) {
      cancel();
      const [question, cancelQuestion] = withCancel(ctx);
      cancel = cancelQuestion;
      questions.push(query(text.slice(0, length), question));
      if (length < text.length) await sleep(ctx, options.every);
    }
    const hits = (await Promise.all(questions)).at(-1) ?? [];
    ctx.throwIfDone();
    say(`  ${text.length} questions: ${counts.cancelled} cancelled, ${counts.answered} answered.`);
    list(hits);
  } finally {
    cancel();
  }
}

/**
 * An answer that may be no more than the best so far, but is there in time.
 *
 * @param {Context} parent
 * @param {Index} index
 * @param {string} pattern
 */
async function hurry(parent, index, pattern) {
  say(`\nWhat comes closest to "${cut(pattern, 40)}", in ${options.deadline} ms?`);
  const [ctx, cancel] = withTimeout(parent, options.deadline);
  try {
    const { hits, read, total } = await index.closest(ctx, pattern);
    say(
      read === total
        ? `  All ${number(total)} texts were read.`
        : `  The best of ${number(read)} of ${number(total)}:`,
    );
    list(hits);
  } catch (error) {
    // The time was over before the question was there.
    if (error !== ctx.err() || parent.err() !== undefined) throw error;
    say("  No answer in time.");
  } finally {
    cancel();
  }
}

/** @param {import("./index.mjs").Hit[]} hits */
function list(hits) {
  for (const { file, errors, excerpt } of hits) {
    say(`  ${cut(file, 60)}, ${errors} ${errors === 1 ? "error" : "errors"}`);
    say(`    ${cut(excerpt, 74)}`);
  }
}

/**
 * @param {string} text
 * @param {number} width
 */
function cut(text, width) {
  const plain = text.replace(/\p{C}/gu, " ");
  return plain.length > width ? `${plain.slice(0, width - 1)}…` : plain;
}

/** @param {number} began */
function since(began) {
  const ms = performance.now() - began;
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
