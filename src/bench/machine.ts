/** Where and when a measurement was made. */
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, loadavg, platform, release } from "node:os";
import { packageJson } from "../bench-urls.js";
import type { Machine } from "./report.js";

/** To be called before anything is measured: it tells the load. */
export function thisMachine(): Machine {
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

/** Of this package. */
export function ownVersion(): string {
  return (JSON.parse(readFileSync(packageJson, "utf8")) as { version: string }).version;
}
