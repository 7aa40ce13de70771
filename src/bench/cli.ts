#!/usr/bin/env node
/** The command `lifeguard`. Its options are in cli-options.ts, what it measures in run.ts. */
import { accessSync, constants, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { background, withTimeout } from "../context/index.js";
import { race } from "../context/race.js";
import { Pool, taskNames } from "../pool/pool.js";
import { withProcessSignal } from "../pool/process-signal.js";
import { userDefaults } from "./cases.js";
import { type BenchCommand, HELP, parseCommand, UsageError } from "./cli-options.js";
import { comparisonText, readReport } from "./compare.js";
import { ownVersion } from "./machine.js";
import { textOf } from "./print.js";
import { TextProgress } from "./progress.js";
import type { BenchReport } from "./report.js";
import { run, type Target } from "./run.js";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Whoever was reading has read enough: `lifeguard bench | head`.
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  try {
    const command = parseCommand(argv);
    switch (command.type) {
      case "help":
        process.stdout.write(HELP);
        return 0;
      case "version":
        process.stdout.write(`${ownVersion()}\n`);
        return 0;
      case "compare":
        process.stdout.write(comparisonText(readReport(command.before), readReport(command.after)));
        return 0;
      case "bench":
        return await bench(command);
      default:
        return command satisfies never;
    }
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`lifeguard: ${error.message}\nTry: lifeguard --help\n`);
      return 2;
    }
    process.stderr.write(`lifeguard: ${messageOf(error).replace(/^measureCancellation: /, "")}\n`);
    return 1;
  }
}

async function bench(command: BenchCommand): Promise<number> {
  // Before anything is measured that could not be kept.
  for (const file of [command.json, command.html]) if (file !== undefined) checkWritable(file);
  const { samples, time, patience } = command;
  const [ctx, cancel] = withProcessSignal(background, "SIGINT", "SIGTERM");
  const progress = new TextProgress(process.stderr);
  try {
    const target = command.target && (await targetOf(command, command.target));
    const report = await run({ ctx, samples, time, patience, progress }, target);
    progress.end();
    await deliver(report, command);
    const signal = ctx.err()?.cause;
    return signal === undefined ? 0 : signal === "SIGTERM" ? 143 : 130;
  } finally {
    progress.end();
    cancel();
  }
}

async function deliver(report: BenchReport, { json, html }: BenchCommand): Promise<void> {
  process.stdout.write(textOf(report));
  if (json !== undefined) write(json, `${JSON.stringify(report)}\n`);
  if (html !== undefined) {
    // Half a megabyte of plotting, for those alone who ask for it.
    const { pageOf } = await import("./page/page.js");
    write(html, pageOf(report));
  }
}

/** Which task it is, of those that the module has. */
async function targetOf(
  { threads, tasks, grace, onOverrun, patience }: BenchCommand,
  { module, task, args }: NonNullable<BenchCommand["target"]>,
): Promise<Target> {
  const name = task ?? (await onlyTaskOf(module, patience));
  const conditions = {
    ...userDefaults,
    name,
    about: shortName(module),
    task: name,
    args,
    threads,
    tasks,
    grace,
    onOverrun,
  };
  return { module, conditions };
}

async function onlyTaskOf(module: URL, patience: number): Promise<string> {
  const pool = new Pool(module, { threads: 1, spares: 0 });
  const [waiting, cancel] = withTimeout(background, patience);
  try {
    await race(waiting, pool.ready());
    const names = taskNames(pool);
    const [only] = names;
    if (only !== undefined && names.length === 1) return only;
    throw new UsageError(
      only === undefined
        ? `${shortName(module)} exports no function: a task is an exported function that takes a context first`
        : `which task? ${shortName(module)} exports ${names.join(", ")}; choose one with --task`,
    );
  } finally {
    cancel();
    await pool.destroy();
  }
}

function shortName(module: URL): string {
  return decodeURIComponent(module.pathname.split("/").at(-1) ?? "");
}

function checkWritable(file: string): void {
  try {
    accessSync(dirname(resolve(file)), constants.W_OK);
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
      throw new Error("it is a directory");
  } catch (error) {
    throw new Error(`${file}: cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

/** All of it or nothing: what was there before is not lost on the way. */
function write(file: string, text: string): void {
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, text);
  renameSync(draft, file);
  process.stderr.write(`wrote ${file}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
