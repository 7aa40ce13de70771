// @ts-check
/**
 * The clients of http.mjs, in a process of its own: those who stay are autocannon's, those who leave are not.
 *
 * autocannon has a `timeout` after which a client leaves, but takes none below a second; the client comes back in the same
 * instant, which makes the load depend on how soon it was sent away; and where a rate is asked for it counts by whole seconds, so that all
 * come in a burst when a second begins. Here a client comes and leaves at moments that were fixed before.
 */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import autocannon from "autocannon";
import { serveOnce } from "./clients.mjs";

/**
 * Somebody who comes and does not stay.
 *
 * @typedef {object} Visit
 * @property {number} at ms from the beginning
 * @property {number} stay ms
 */

/**
 * @typedef {object} Order
 * @property {number} port
 * @property {string} path
 * @property {number} staying clients that ask again as soon as they have their answer
 * @property {readonly Visit[]} visits
 * @property {number} ms how long all that goes on
 * @property {number} settling ms at the beginning whose requests do not count
 */

/**
 * @typedef {object} Outcome
 * @property {number[]} times of those who stayed, from the request to the last byte of its answer, ms
 * @property {number} answered visits
 * @property {readonly string[]} errors
 */

serveOnce(load);

/**
 * @param {Order} order
 * @returns {Promise<Outcome>}
 */
async function load({ port, path, staying, visits, ms, settling }) {
  /** @type {number[]} */
  const times = [];
  /** @type {string[]} */
  const errors = [];
  const begin = performance.now();
  const visitors = Promise.all(visits.map((visit) => come(port, path, begin, visit)));
  await new Promise((resolve, reject) => {
    const stayers = autocannon(
      {
        url: `http://127.0.0.1:${String(port)}${path}`,
        connections: staying,
        duration: ms / 1000,
        sampleInt: 50,
      },
      (/** @type {unknown} */ error) => {
        if (error === null) resolve(undefined);
        else reject(error);
      },
    );
    // Its own table has no p95.
    stayers.on("response", (_client, status, _bytes, took) => {
      if (status !== 200) errors.push(`status ${String(status)}`);
      else if (performance.now() - took - begin >= settling) times.push(took);
    });
    stayers.on("reqError", (error) => {
      errors.push(String(error));
    });
  });
  const answered = (await visitors).filter((isAnswered) => isAnswered).length;
  return { times, answered, errors };
}

/**
 * @param {number} port
 * @param {string} path
 * @param {number} begin
 * @param {Visit} visit
 * @returns {Promise<boolean>} whether there was an answer before the client left
 */
async function come(port, path, begin, { at, stay }) {
  await sleep(begin + at - performance.now());
  const socket = connect(port, "127.0.0.1");
  const left = sleep(stay);
  let isAnswered = false;
  socket.on("data", () => {
    isAnswered = true;
  });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  await left;
  socket.destroy();
  return isAnswered;
}
