/** The files that a report is written to: `test/security/hardening.test.ts` has what others may have put there. */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkWritable, write } from "../../src/bench/files.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lifeguard-files-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("a file that is there is replaced, a new one made, and nothing else left in the folder", () => {
  const [old, made] = [join(folder, "old.json"), join(folder, "made.json")];
  writeFileSync(old, "a much longer text than the new one");
  write(old, "new");
  write(made, "made");
  expect([old, made].map((file) => readFileSync(file, "utf8"))).toEqual(["new", "made"]);
  expect(readdirSync(folder).sort()).toEqual(["made.json", "old.json"]);
});

test.skipIf(process.platform === "win32")("through a link the file is replaced, not the link", () => {
  const [file, link] = [join(folder, "file.json"), join(folder, "link.json")];
  writeFileSync(file, "old");
  symlinkSync(file, link);
  write(link, "new");
  expect(readFileSync(file, "utf8")).toBe("new");
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
});

test.skipIf(process.platform === "win32")("whoever reads from a named pipe is given the text", () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    expect(() => {
      checkWritable(pipe);
    }).not.toThrow();
    write(pipe, "the figures");
    const read = Buffer.alloc(64);
    expect(read.toString("utf8", 0, readSync(reader, read))).toBe("the figures");
  } finally {
    closeSync(reader);
  }
  expect(lstatSync(pipe).isFIFO()).toBe(true);
  expect(readdirSync(folder)).toEqual(["pipe"]);
});
