#!/usr/bin/env node
/** The command `lifeguard`. Its options are in cli-options.ts, what it measures in run.ts. */
import { background, type Context, isContextError, withTimeout } from "../context/index.js";
import { race } from "../context/race.js";
import { Pool, taskNames } from "../pool/pool.js";
import { withProcessSignal } from "../pool/process-signal.js";
import { userDefaults } from "./cases.js";
import { type BenchCommand, HELP, parseCommand, UsageError } from "./cli-options.js";
import { comparisonText, readReport } from "./compare.js";
import { checkWritable, write } from "./files.js";
import { letGo } from "./let-go.js";
import { ownVersion } from "./machine.js";
import { printable, textOf } from "./print.js";
import { TextProgress } from "./progress.js";
import type { BenchReport } from "./report.js";
import { run, type Target } from "./run.js";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Whoever was reading has read enough: `lifeguard bench | head`.
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`lifeguard: the report cannot be written: ${error.message}\n`);
  process.exit(1);
});
// Nobody has to watch the progress.
process.stderr.on("error", () => {});

const code = await main(process.argv.slice(2));
// A thread in native code would keep the process until that returns. What was written is on its way by then.
process.stdout.write("", () => process.exit(code));

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
        process.stdout.write(
          printable(comparisonText(readReport(command.before), readReport(command.after))),
        );
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
    process.stderr.write(`lifeguard: ${printable(messageOf(error).replace(/^measureCancellation: /, ""))}\n`);
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
    const target = command.target && (await targetOf(command, command.target, ctx));
    const report = await run({ ctx, samples, time, patience, progress }, target);
    progress.end();
    await deliver(report, command);
    return codeOf(ctx);
  } catch (error) {
    // Before there was anything to tell.
    if (ctx.err() !== undefined && isContextError(error)) return codeOf(ctx);
    throw error;
  } finally {
    progress.end();
    cancel();
  }
}

/** 128 and the number of the signal; 0 without one. */
function codeOf(ctx: Context): number {
  const signal = ctx.err()?.cause;
  return signal === undefined ? 0 : signal === "SIGTERM" ? 143 : 130;
}

async function deliver(report: BenchReport, { json, html }: BenchCommand): Promise<void> {
  if (json !== undefined) writeAndSay(json, `${JSON.stringify(report)}\n`);
  if (html !== undefined) {
    // Half a megabyte of plotting, for those alone who ask for it.
    const { pageOf } = await import("./page/page.js");
    writeAndSay(html, pageOf(report));
  }
  // Last, since a reader that has gone ends the process.
  process.stdout.write(printable(textOf(report)));
}

function writeAndSay(file: string, text: string): void {
  write(file, text);
  process.stderr.write(`wrote ${file}\n`);
}

/** Which task it is, of those that the module has. */
async function targetOf(
  { threads, tasks, grace, onOverrun, patience }: BenchCommand,
  { module, task, args }: NonNullable<BenchCommand["target"]>,
  ctx: Context,
): Promise<Target> {
  const name = chosen(shortName(module), await namesIn(module, patience, ctx), task);
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

function chosen(module: string, names: readonly string[], task: string | undefined): string {
  const [only] = names;
  if (only === undefined)
    throw new UsageError(
      `${module} exports no function: a task is an exported function that takes a context first`,
    );
  if (task === undefined && names.length > 1)
    throw new UsageError(`which task? ${module} exports ${names.join(", ")}; choose one with --task`);
  if (task !== undefined && !names.includes(task))
    throw new Error(`${module} exports no function ${JSON.stringify(task)}; it exports ${names.join(", ")}`);
  return task ?? only;
}

async function namesIn(module: URL, patience: number, ctx: Context): Promise<readonly string[]> {
  const pool = new Pool(module, { threads: 1, spares: 0 });
  const [waiting, cancel] = withTimeout(ctx, patience);
  try {
    await race(waiting, pool.ready());
    return taskNames(pool);
  } catch (error) {
    if (error !== waiting.err() || ctx.err() !== undefined) throw error;
    throw new Error(
      `${shortName(module)} was not loaded within ${patience} ms: look what it waits for at its top level`,
      { cause: error },
    );
  } finally {
    cancel();
    await letGo(pool);
  }
}

function shortName(module: URL): string {
  return decodeURIComponent(module.pathname.split("/").at(-1) ?? "");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
