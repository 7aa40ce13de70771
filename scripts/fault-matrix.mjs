// @ts-check
/** Writes the fault matrix into docs/reliability.md, from the table that its tests are made of. */
import { readFileSync, writeFileSync } from "node:fs";
import { fill } from "./figures/documents.mjs";
import { faultMatrix } from "./figures/fault-matrix.mjs";
import { flagsOf } from "./flags.mjs";

const DOCUMENT = "docs/reliability.md";

const help = `node scripts/fault-matrix.mjs [--check]

Writes the fault matrix of ${DOCUMENT} anew, from test/faults/table.mjs.

  --check    writes nothing, and fails when the document is not what the table gives
  --help     this`;

process.exitCode = main(process.argv.slice(2));

/**
 * @param {string[]} argv
 * @returns {number}
 */
function main(argv) {
  const values = flagsOf(argv, help, ["check"]);
  if (typeof values === "number") return values;
  const file = new URL(`../${DOCUMENT}`, import.meta.url);
  const document = readFileSync(file, "utf8");
  const filled = fill(document, { "fault-matrix": faultMatrix() });
  if (filled === document) return 0;
  if (values.check) {
    process.stderr.write(
      `${DOCUMENT}: not what test/faults/table.mjs gives; node scripts/fault-matrix.mjs\n`,
    );
    return 1;
  }
  writeFileSync(file, filled);
  return 0;
}
