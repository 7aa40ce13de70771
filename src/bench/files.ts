/** The files that a report is written to. */
import { randomUUID } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";

/** Throws an Error that says why the file cannot be written, as far as that can be known before. */
export function checkWritable(file: string): void {
  try {
    accessSync(dirname(resolve(file)), constants.W_OK);
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
      throw new Error("it is a directory");
  } catch (error) {
    throw new Error(`${file}: cannot be written: ${(error as Error).message}`, { cause: error });
  }
}

/** All of it or nothing: what was there before is not lost on the way. A pipe or a device is written to as it is. */
export function write(file: string, text: string): void {
  const target = existsSync(file) ? realpathSync(file) : file;
  if (existsSync(target) && !statSync(target).isFile()) {
    writeFileSync(target, text);
  } else {
    const draft = `${target}.${randomUUID()}.tmp`;
    // Not where something is already, a link to somewhere else perhaps: the folder may be open to others.
    writeFileSync(draft, text, { flag: "wx" });
    renameSync(draft, target);
  }
}
