// @ts-check
/**
 * A page with a worker whose loop can be cancelled. Each click on Start makes a context, with a time limit if there is
 * one; it is the first argument of the call, and its end is what the worker's loop sees at its next poll.
 */
import { wrap } from "lifeguard/comlink";
import { afterFunc, background, cause, isContextError, withCancel, withTimeout } from "lifeguard/context";

/** @type {import("comlink").Remote<typeof import("./worker.js").tasks>} */
const worker = wrap(new Worker(new URL("./worker.js", import.meta.url), { type: "module" }));

const form = byId("form", HTMLFormElement);
const below = byId("below", HTMLInputElement);
const limit = byId("limit", HTMLInputElement);
const start = byId("start", HTMLButtonElement);
const cancel = byId("cancel", HTMLButtonElement);
const busy = byId("busy", HTMLProgressElement);
const says = byId("says", HTMLOutputElement);

byId("memory", HTMLParagraphElement).textContent = crossOriginIsolated
  ? "This page is cross-origin isolated: it shares memory with its worker, so the loop sees at once that it is cancelled."
  : "This page is not cross-origin isolated, so it shares no memory with its worker: a cancellation is a message, which the loop does not see. Its time limit it sees all the same.";

/** Cancels what is under way. @type {((why: Error) => void) | undefined} */
let cancelCount;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (cancelCount === undefined) void count();
});
cancel.addEventListener("click", () => cancelCount?.(new Error("the button was pressed")));
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") cancelCount?.(new Error("Escape was pressed"));
});

async function count() {
  const [cancellable, cancelIt] = withCancel(background);
  const seconds = limit.value === "" ? Number.POSITIVE_INFINITY : limit.valueAsNumber;
  const [ctx, cancelTimeout] = withTimeout(cancellable, seconds * 1000);
  cancelCount = cancelIt;
  let ended = 0;
  afterFunc(ctx, () => {
    ended = performance.now();
  });
  show(true);
  says.value = "Counting …";
  const began = performance.now();
  try {
    const primes = await worker.countPrimes(ctx, below.valueAsNumber);
    const took = (performance.now() - began) / 1000;
    says.value = `There are ${number(primes)} primes below ${number(below.valueAsNumber)}. That took ${took.toFixed(1)} s.`;
  } catch (error) {
    if (isContextError(error)) {
      const why = sentence(cause(ctx));
      says.value = `Cancelled: ${why}. Waiting for the loop to stop …`;
      // The call has been given up. The worker answers this one when it is out of its loop.
      await worker.idle();
      says.value = `Cancelled: ${why}. The loop stopped ${(performance.now() - ended).toFixed(1)} ms later.`;
    } else says.value = `It failed: ${sentence(error)}.`;
  } finally {
    cancelTimeout();
    cancelIt();
    cancelCount = undefined;
    show(false);
  }
}

/** @param {boolean} isRunning */
function show(isRunning) {
  // A button that is disabled loses the focus: whoever uses the keyboard goes on with the other one.
  const had = document.activeElement;
  start.disabled = isRunning;
  cancel.disabled = !isRunning;
  busy.classList.toggle("idle", !isRunning);
  if (isRunning && had === start) cancel.focus();
  if (!isRunning && had === cancel) start.focus();
}

/** @param {unknown} reason */
function sentence(reason) {
  return reason instanceof Error ? reason.message : String(reason);
}

/** @param {number} value - 12345 is "12,345" */
function number(value) {
  return value.toLocaleString("en");
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`there is no ${kind.name} #${id}`);
  return element;
}
