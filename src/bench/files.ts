/** The files that a report is written to. */
import { randomUUID } from "node:crypto";
import { accessSync, constants, realpathSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Throws an Error that says why the file cannot be written, as far as that can be known before. */
export function checkWritable(file: string): void {
  try {
    const there = statSync(file, { throwIfNoEntry: false });
    if (there?.isDirectory() === true) throw new Error("it is a directory");
    const isNew = there === undefined;
    // A file is replaced by another one in its folder; a pipe or a device is opened.
    accessSync(
      isNew || there.isFile() ? dirname(isNew ? resolve(file) : realpathSync(file)) : file,
      constants.W_OK,
    );
  } catch (error) {
    throw new Error(`${file}: cannot be written: ${(error as Error).message}`, { cause: error });
  }
}

/** All of it or nothing: what was there before is not lost on the way. A pipe or a device is written to as it is. */
export function write(file: string, text: string): void {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile()) {
    // By the name given: /dev/stdout is a link to what may have no other name.
    writeFileSync(file, text);
  } else {
    const target = there === undefined ? file : realpathSync(file);
    const draft = `${target}.${randomUUID()}.tmp`;
    // Not where something is already, a link to somewhere else perhaps: the folder may be open to others.
    writeFileSync(draft, text, { flag: "wx" });
    renameSync(draft, target);
  }
}
