// @ts-check
/** The same tasks for poolifier, whose worker module exports a worker. */
import { ThreadWorker } from "poolifier";
import { busy, endless, hold, meet, nothing, nothings, spin, spins } from "./work.mjs";

/** Its types want one kind of data for all functions. @type {Record<string, (data?: any) => unknown>} */
const tasks = { busy: (data) => busy(data), endless, hold, meet, nothing, nothings, spin, spins };

export default new ThreadWorker(tasks);
