/** The command line of `lifeguard`, taken apart and checked. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

export const HELP = `Usage: lifeguard bench [options]                        this machine: built-in tasks
       lifeguard bench <module> --task <name> [options]  a task of yours
       lifeguard bench --compare <a.json> <b.json>       two runs beside each other

How fast does a task stop? Runs it again and again, cancels it at random moments, and
tells how long it took to be seen, to stop, and to settle; how often it polls, the
longest it went without, the share that had to be stopped hard, and what that means.

  --task <name>       the exported function; may be left out where there is only one
  --args <json>       its arguments after the context, a JSON array (default: [])
  --threads <n>       threads of the pool (default: 1)
  --tasks <n>         tasks that run, and are cancelled, at once (default: as many as
                      there are threads)
  --grace <ms>        what a task has to stop before it is stopped hard (default: 250;
                      "Infinity" for no end)
  --on-overrun <how>  terminate or interrupt (default: terminate)
  --samples <n>       cancellations of each task, at most (default: 1000)
  --time <s>          seconds for each task, more or less (default: 5; built-in tasks: 3)
  --patience <s>      seconds a task may take to begin, or to stop (default: 10)
  --json <file>       writes the figures, for machines and for --compare
  --html <file>       writes a page to look at: everything in one file, no network
  --compare           compares two files that --json has written
  -h, --help          this text
  -v, --version       the version

Progress goes to stderr. Ctrl-C ends it with a report of what was measured so far; a
second one ends it at once. Measure on a machine that does nothing else: all figures
drift, and what counts are the ratios of one run.

Exit codes: 0 measured; 1 it could not be measured, or a file not be read or written;
2 wrong usage; 130 ended by Ctrl-C (143 by SIGTERM).
`;

/** What is wrong with the command line. */
export class UsageError extends Error {}

export interface BenchCommand {
  readonly type: "bench";
  readonly target:
    | { readonly module: URL; readonly task: string | undefined; readonly args: readonly unknown[] }
    | undefined;
  readonly threads: number;
  readonly tasks: number;
  readonly grace: number;
  readonly onOverrun: "terminate" | "interrupt";
  readonly samples: number;
  /** ms. */
  readonly time: number;
  readonly patience: number;
  readonly json: string | undefined;
  readonly html: string | undefined;
}

export type Command =
  | { readonly type: "help" }
  | { readonly type: "version" }
  | { readonly type: "compare"; readonly before: string; readonly after: string }
  | BenchCommand;

const OPTIONS = {
  task: { type: "string" },
  args: { type: "string" },
  threads: { type: "string" },
  tasks: { type: "string" },
  grace: { type: "string" },
  "on-overrun": { type: "string" },
  samples: { type: "string" },
  time: { type: "string" },
  patience: { type: "string" },
  json: { type: "string" },
  html: { type: "string" },
  compare: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

/** @throws UsageError, and Error when there is no such module */
export function parseCommand(argv: readonly string[]): Command {
  const { values, positionals } = parsed(argv);
  if (values.help === true) return { type: "help" };
  if (values.version === true) return { type: "version" };
  const [command, ...rest] = positionals;
  if (command === undefined) throw new UsageError("a command is missing: there is `lifeguard bench`");
  if (command !== "bench")
    throw new UsageError(`there is no command ${JSON.stringify(command)}: there is \`lifeguard bench\``);
  return values.compare === true ? compareCommand(rest, values) : benchCommand(rest, values);
}

function parsed(argv: readonly string[]): { values: Values; positionals: string[] } {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    // The first sentence says what is wrong; the others go on about `parseArgs`.
    throw new UsageError((error as Error).message.split(/\.\s|\n/, 1)[0], { cause: error });
  }
}

function compareCommand(files: readonly string[], values: Values): Command {
  const [before, after, ...more] = files;
  if (before === undefined || after === undefined || more.length > 0)
    throw new UsageError(`--compare: expected two files, got ${files.length}`);
  const other = Object.keys(values).find((key) => key !== "compare");
  if (other !== undefined) throw new UsageError(`--compare and --${other} do not go together`);
  return { type: "compare", before, after };
}

function benchCommand([module, ...more]: readonly string[], values: Values): BenchCommand {
  if (more.length > 0) throw new UsageError(`expected one module, got ${JSON.stringify(more[0])} as well`);
  const target = module === undefined ? undefined : targetOf(module, values);
  if (target === undefined) {
    for (const key of ["task", "args", "threads", "tasks", "grace", "on-overrun"] as const)
      if (values[key] !== undefined)
        throw new UsageError(`--${key}: only for a module of yours: lifeguard bench <module> --${key} …`);
  }
  for (const key of ["json", "html"] as const)
    if (values[key] === "") throw new UsageError(`--${key}: expected the name of a file, got ""`);
  const threads = whole("threads", values.threads, 1, 1024);
  const { "on-overrun": onOverrun = "terminate" } = values;
  if (onOverrun !== "terminate" && onOverrun !== "interrupt")
    throw new UsageError(`--on-overrun: expected terminate or interrupt, got ${JSON.stringify(onOverrun)}`);
  return {
    type: "bench",
    target,
    threads,
    tasks: whole("tasks", values.tasks, threads, threads),
    grace: values.grace === "Infinity" ? Number.POSITIVE_INFINITY : amount("grace", values.grace, 250, 0),
    onOverrun,
    samples: whole("samples", values.samples, 1000, 1_000_000),
    time: 1000 * amount("time", values.time, target === undefined ? 3 : 5, 0.01),
    patience: 1000 * amount("patience", values.patience, 10, 0.01),
    json: values.json,
    html: values.html,
  };
}

function targetOf(module: string, { task, args }: Values): BenchCommand["target"] {
  const path = resolve(module);
  if (!existsSync(path))
    throw new Error(
      `there is no file ${JSON.stringify(module)} in ${process.cwd()}: give the path of the module that exports the task`,
    );
  return { module: pathToFileURL(path), task, args: argumentsOf(args) };
}

function argumentsOf(json: string | undefined): readonly unknown[] {
  if (json === undefined) return [];
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new UsageError(
      `--args: expected a JSON array, such as '[1, "a"]', got ${JSON.stringify(json)}: ${(error as Error).message}`,
      { cause: error },
    );
  }
  if (!Array.isArray(value))
    throw new UsageError(`--args: expected a JSON array, such as '[1, "a"]', got ${JSON.stringify(json)}`);
  return value;
}

function whole(option: string, given: string | undefined, otherwise: number, most: number): number {
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (/^\d+$/.test(given) && value >= 1 && value <= most) return value;
  throw new UsageError(
    `--${option}: expected a whole number from 1 to ${most}, got ${JSON.stringify(given)}`,
  );
}

function amount(option: string, given: string | undefined, otherwise: number, least: number): number {
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (given.trim() !== "" && value >= least && value <= 1e6) return value;
  throw new UsageError(
    `--${option}: expected a number from ${least} to 1000000, got ${JSON.stringify(given)}`,
  );
}
