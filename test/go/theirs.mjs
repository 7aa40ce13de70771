// @ts-check
/** Runs programs with Go: one process for all of them. */
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { buildReference, findGo } from "./toolchain.mjs";

/** @typedef {import("./program.mjs").Program} Program */

export class Theirs {
  #child;
  #directory;
  /** Who waits for a line, in order. @type {{ resolve: (line: string) => void, reject: (error: Error) => void }[]} */
  #waiting = [];
  #said = "";
  /** @type {Error | undefined} */
  #over;
  /** @type {Promise<void>} */
  #closed;

  /**
   * @param {string} binary
   * @param {string} directory
   */
  constructor(binary, directory) {
    this.#directory = directory;
    const child = spawn(binary, { stdio: ["pipe", "pipe", "pipe", "pipe"] });
    this.#child = child;
    const traces = /** @type {import("node:stream").Readable} */ (child.stdio[3]);
    createInterface({ input: traces }).on("line", (line) => this.#waiting.shift()?.resolve(line));
    child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#said = (this.#said + text).slice(-4000);
    });
    child.stdin.on("error", () => {}); // its exit says more
    this.#closed = new Promise((resolve) => {
      /** @param {Error} error */
      const end = (error) => {
        this.#over ??= error;
        for (const { reject } of this.#waiting.splice(0)) reject(this.#over);
        resolve();
      };
      child.on("error", end);
      child.on("close", (code, signal) =>
        end(new Error(`Go's side ended with ${code ?? signal}: ${this.#said}`)),
      );
    });
  }

  /**
   * Finds Go, builds and starts it.
   *
   * @returns {Promise<{ theirs: Theirs, version: string }>}
   */
  static async start() {
    const { binary, directory } = await buildReference(await findGo());
    const theirs = new Theirs(binary, directory);
    return { theirs, version: await theirs.#line() };
  }

  /** @returns {Promise<string>} */
  #line() {
    return new Promise((resolve, reject) => {
      if (this.#over === undefined) this.#waiting.push({ resolve, reject });
      else reject(this.#over);
    });
  }

  /**
   * @param {Program} program
   * @returns {Promise<string>} its trace
   */
  run(program) {
    this.#child.stdin.write(`${JSON.stringify(program)}\n`);
    return this.#line();
  }

  /** @returns {Promise<void>} */
  async close() {
    this.#child.stdin.end();
    await this.#closed;
    await rm(this.#directory, { recursive: true, force: true });
  }
}
