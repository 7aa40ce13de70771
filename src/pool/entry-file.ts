/** What a thread begins with: it is found by its place beside the library's files, so not from within somebody's bundle. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const found = new Set<string>();

/** Why there is no thread to be had; undefined when its entry is where it should be. Looks once for each. */
export function missingEntry(entry: string | URL): string | undefined {
  const url = String(entry);
  if (found.has(url) || !url.startsWith("file:") || existsSync(fileURLToPath(url))) {
    found.add(url);
    return undefined;
  }
  return `there is no ${fileURLToPath(url)}, which its threads begin with: a bundle that lifeguard is part of does not have it. Keep lifeguard and piscina out of it (external)`;
}
