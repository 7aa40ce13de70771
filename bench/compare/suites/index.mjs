// @ts-check
/** The suites, in the order in which they run. */
import { suite as batch } from "./batch.mjs";
import { suite as cancel } from "./cancel.mjs";
import { suite as memory } from "./memory.mjs";
import { suite as throughput } from "./throughput.mjs";

/** @type {ReadonlyMap<string, import("../support/suite.mjs").Suite>} */
export const suites = new Map(Object.entries({ cancel, throughput, batch, memory }));
