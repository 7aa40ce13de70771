import { expect, test } from "vitest";
import { samplerOf } from "../../bench/compare/suites/cancel.mjs";
import type { AnyPool } from "../../bench/compare/support/pool.mjs";
import { Cell } from "../../bench/support/cell.mjs";

/** A pool without threads that writes down what it is asked for; a task is over once it is cancelled. */
function recordingPool(): { pool: AnyPool; events: string[] } {
  const events: string[] = [];
  const pool: AnyPool = {
    run: async (task) => {
      events.push(task);
    },
    together: () => {
      const controller = new AbortController();
      return {
        run: (task, input) => {
          events.push(task);
          const { running } = new Cell(input as SharedArrayBuffer);
          Atomics.store(running, 0, 1);
          return new Promise((_, reject) => {
            controller.signal.addEventListener("abort", () => {
              setImmediate(() => {
                events.push("settled");
                reject(new Error("cancelled"));
              });
            });
          });
        },
        cancel: () => {
          events.push("cancel");
          controller.abort();
        },
      };
    },
  };
  return { pool, events };
}

test("while a promise is followed nothing waits behind the task; the threads are asked for in another cancellation", async () => {
  const { pool, events } = recordingPool();
  const values = await samplerOf(pool, "busy")(1);
  expect(events).toEqual([
    ...["busy", "cancel", "settled", "meet", "meet"],
    ...["busy", "cancel", "meet", "meet", "settled"],
  ]);
  expect(Object.keys(values).toSorted()).toEqual(["ranOn", "settle", "usable"]);
  expect(values.settle).toBeGreaterThan(0);
});
