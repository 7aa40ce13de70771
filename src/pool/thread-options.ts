/** How a thread is made: the options that Node's Worker takes, and the module it runs. */
import { isAbsolute } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type ResourceLimits, SHARE_ENV } from "node:worker_threads";
import { invalidArg } from "../context/invalid.js";

export interface ThreadSettings {
  /** Memory limits of each thread, as for `Worker`. ArrayBuffers lie outside them. */
  resourceLimits?: ResourceLimits;
  /** The environment of the threads, as for `Worker`. @default a copy of process.env */
  env?: NodeJS.ProcessEnv | typeof SHARE_ENV;
  /** Node's options for the threads, as for `Worker`. @default those of the process */
  execArgv?: readonly string[];
  /** What the module finds as `workerData` of node:worker_threads, cloned to each thread, otherwise unchanged. */
  workerData?: unknown;
}

export interface ThreadOptions {
  /** The user's module, a file URL. */
  readonly module: string;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly env: NodeJS.ProcessEnv | typeof SHARE_ENV | undefined;
  readonly execArgv: string[] | undefined;
  readonly workerData: unknown;
}

/**
 * @param where the public function, for the messages
 * @throws TypeError ERR_INVALID_ARG
 */
export function resolveThreadOptions(
  where: string,
  module: string | URL,
  given: ThreadSettings,
): ThreadOptions {
  const { resourceLimits, execArgv, workerData } = given;
  const env: ThreadOptions["env"] = given.env;
  if (
    resourceLimits !== undefined &&
    (typeof resourceLimits !== "object" || (resourceLimits as unknown) === null)
  ) {
    throw invalidArg(`${where}: options.resourceLimits`, "an object", resourceLimits);
  }
  if (env !== undefined && env !== SHARE_ENV && (typeof env !== "object" || (env as unknown) === null)) {
    throw invalidArg(`${where}: options.env`, "an object or SHARE_ENV", env);
  }
  if (
    execArgv !== undefined &&
    !(Array.isArray(execArgv) && execArgv.every((flag) => typeof flag === "string"))
  ) {
    throw invalidArg(`${where}: options.execArgv`, "an array of strings", execArgv);
  }
  return {
    module: resolveModule(`${where}: module`, module),
    resourceLimits,
    env,
    execArgv: execArgv && [...execArgv],
    workerData,
  };
}

/** What of them Node's Worker is given: what is not set is not there, since Node looks at some of them all the same. */
export function workerOptions({ resourceLimits, env, execArgv, workerData }: ThreadOptions): object {
  return {
    ...(resourceLimits && { resourceLimits }),
    ...(env !== undefined && { env }),
    ...(execArgv && { execArgv }),
    ...(workerData !== undefined && { workerData }),
  };
}

function resolveModule(where: string, module: string | URL): string {
  const expected = 'a file URL or an absolute path, such as new URL("./tasks.js", import.meta.url)';
  if (module instanceof URL || (typeof module === "string" && /^[a-z][a-z+.-]+:/i.test(module))) {
    const url = String(module);
    if (!url.startsWith("file:")) throw invalidArg(where, expected, url);
    try {
      fileURLToPath(url);
    } catch (cause) {
      throw invalidArg(where, expected, url, { cause });
    }
    return url;
  }
  if (typeof module !== "string" || !isAbsolute(module)) throw invalidArg(where, expected, module);
  return pathToFileURL(module).href;
}
