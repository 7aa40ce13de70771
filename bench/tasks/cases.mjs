// @ts-check
/** What a thread can be at when its task overruns: each says that it has begun, and goes on for ever, or for long. */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { execFileSync } from "node:child_process";
import { pbkdf2Sync } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import vm from "node:vm";
import { gzipSync } from "node:zlib";
import { Cell, step } from "../support/cell.mjs";

/** @typedef {import("lifeguard/worker").Context} Context */
/** @typedef {(ctx: Context, buffer: SharedArrayBuffer) => void} Case */
/** @typedef {(ctx: Context, buffer: SharedArrayBuffer) => Promise<void>} AsyncCase */

/** @param {SharedArrayBuffer} buffer */
function begin(buffer) {
  const cell = new Cell(buffer);
  Atomics.add(cell.running, 0, 1);
  return cell;
}

/** @param {(round: number) => unknown} round */
function forever(round) {
  for (let i = 0; ; i++) round(i);
}

/** @type {Case} */
export const loop = (_ctx, buffer) => {
  const { sink } = begin(buffer);
  for (let x = 1; ; x = step(x)) sink[0] = x;
};

/** @type {Case} */
export const regex = (_ctx, buffer) => {
  begin(buffer);
  /^(\w+\s?)*$/.test(`${"word ".repeat(20)}!`);
};

/** @type {Case} */
export const recursion = (_ctx, buffer) => {
  begin(buffer);
  forever(() => fibonacci(40));
};

/**
 * @param {number} n
 * @returns {number}
 */
function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

/** @type {Case} */
export const generator = (_ctx, buffer) => {
  begin(buffer);
  function* numbers() {
    for (let n = 0; ; n++) yield n;
  }
  for (const n of numbers()) if (n < 0) break;
};

/**
 * The types of it come with those of browsers.
 *
 * @typedef {object} Wasm
 * @property {new (bytes: Uint8Array) => object} Module
 * @property {new (module: object) => { exports: { spin: () => void } }} Instance
 */

const wasm = /** @type {Wasm} */ (Reflect.get(globalThis, "WebAssembly"));

/** `(module (func (export "spin") (loop (br 0))))` */
const spinner = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 4, 1, 0x60, 0, 0],
  ...[3, 2, 1, 0],
  ...[7, 8, 1, 4, 0x73, 0x70, 0x69, 0x6e, 0, 0],
  ...[10, 9, 1, 7, 0, 3, 0x40, 0x0c, 0, 0x0b, 0x0b],
);

/** @type {Case} */
export const webAssembly = (_ctx, buffer) => {
  const { exports } = new wasm.Instance(new wasm.Module(spinner));
  begin(buffer);
  exports.spin();
};

const many = Array.from({ length: 1_000_000 }, (_, i) => (i * 7919) % 1_000_003);

/** @type {Case} */
export const sortWithComparator = (_ctx, buffer) => {
  begin(buffer);
  forever(() => [...many].sort((a, b) => a - b));
};

/** @type {Case} */
export const sortWithout = (_ctx, buffer) => {
  const numbers = Float64Array.from({ length: 10_000_000 }, Math.random);
  begin(buffer);
  numbers.sort();
};

/** @type {Case} */
export const jsonParse = (_ctx, buffer) => {
  const text = `[${'{"name":"value","list":[1,2,3]},'.repeat(1_500_000)}0]`;
  begin(buffer);
  JSON.parse(text);
};

/** @type {Case} */
export const jsonParseMany = (_ctx, buffer) => {
  const text = `[${'{"name":"value","list":[1,2,3]},'.repeat(100)}0]`;
  begin(buffer);
  forever(() => JSON.parse(text));
};

/** @type {Case} */
export const bigInt = (_ctx, buffer) => {
  const big = 3n ** 2_000_000n;
  begin(buffer);
  forever(() => big * (big + 1n));
};

/** @type {Case} */
export const atomicsWait = (_ctx, buffer) => {
  const { flag } = begin(buffer);
  Atomics.wait(flag, 0, 0);
};

/** @type {Case} */
export const vmWithTimeout = (_ctx, buffer) => {
  begin(buffer);
  vm.runInThisContext("for (;;);", { timeout: 60_000 });
};

const storage = new AsyncLocalStorage();

/** @type {Case} */
export const inStorage = (_ctx, buffer) => storage.run("store", () => loop(_ctx, buffer));

/** @type {Case} */
export const inScope = (_ctx, buffer) => new AsyncResource("case").runInAsyncScope(() => loop(_ctx, buffer));

/** @type {AsyncCase} */
export const asyncFunction = async (ctx, buffer) => {
  loop(ctx, buffer);
  await delay(1);
};

/** @type {AsyncCase} */
export const afterAwait = async (ctx, buffer) => {
  await delay(1);
  loop(ctx, buffer);
};

/** @type {AsyncCase} */
export const neverSettles = async (_ctx, buffer) => {
  begin(buffer);
  await delay(2 ** 30);
};

/** @type {Case} */
export const pbkdf2 = (_ctx, buffer) => {
  begin(buffer);
  pbkdf2Sync("password", "salt", 2_000_000, 64, "sha512");
};

/** @type {Case} */
export const gzip = (_ctx, buffer) => {
  const bytes = Uint8Array.from({ length: 20_000_000 }, (_, i) => step(i));
  begin(buffer);
  gzipSync(bytes, { level: 9 });
};

/** @type {Case} */
export const program = (_ctx, buffer) => {
  begin(buffer);
  execFileSync(process.execPath, ["-e", "setTimeout(() => {}, 1000)"]);
};
