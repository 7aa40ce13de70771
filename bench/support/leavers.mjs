// @ts-check
/** The clients of soak-http.mjs, in a process of its own: each connects, asks and leaves at once, and the next one comes. */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { serveOnce } from "./clients.mjs";

/**
 * @typedef {object} Order
 * @property {number} port
 * @property {number} clients at a time
 */

/**
 * @typedef {object} Outcome
 * @property {number} left clients that have come and gone
 * @property {readonly string[]} errors why others could not even connect; the first ones
 */

/** How long those stay at most who do not leave at once, ms. */
const LONGEST = 5;

serveOnce(leave);

/**
 * @param {Order} order
 * @param {AbortSignal} stopped
 * @returns {Promise<Outcome>}
 */
async function leave({ port, clients }, stopped) {
  let left = 0;
  /** @type {string[]} */
  const errors = [];
  const comeAndGo = async () => {
    while (!stopped.aborted) {
      try {
        await visit(port);
        left++;
      } catch (error) {
        if (errors.length < 10) errors.push(String(error));
        await sleep(LONGEST);
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, comeAndGo));
  return { left, errors };
}

/**
 * Every other client, by chance, leaves as soon as its request is written; every other one says so, and the others are just gone,
 * as one whose process has died.
 *
 * @param {number} port
 */
async function visit(port) {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  // A server may find out in the middle of its answer.
  socket.on("error", () => {});
  socket.write("GET /on HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  if (Math.random() < 0.5) await sleep(LONGEST * Math.random());
  const closed = new Promise((resolve) => {
    socket.once("close", resolve);
  });
  if (Math.random() < 0.5) socket.destroy();
  else socket.resetAndDestroy();
  await closed;
}
