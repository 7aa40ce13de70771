// @ts-check
/** The data: what the installed packages say about themselves, and under which licence they are. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const nodeModules = fileURLToPath(new URL("../../node_modules/", import.meta.url));
const name = /^(?:licen[cs]e|readme)(?:[.-]|$)/i;
const MIN_LENGTH = 300;
const MAX_LENGTH = 64 * 1024;

/**
 * @typedef {object} Text
 * @property {string} text
 * @property {string[]} files - where it stands, word for word
 */

/**
 * The licences and readmes in node_modules, each different text once: at most `count`, spread evenly over all there
 * are. Sorted, so that the same packages give the same texts.
 *
 * @param {number} count
 * @returns {{ files: number, different: number, texts: Text[] }}
 */
export function collect(count) {
  /** @type {Map<string, Text>} */
  const found = new Map();
  let files = 0;
  for (const packageName of packages()) {
    for (const file of list(join(nodeModules, packageName))) {
      if (!name.test(file)) continue;
      const text = read(join(nodeModules, packageName, file));
      if (text === undefined || text.length < MIN_LENGTH || text.length > MAX_LENGTH) continue;
      files++;
      const known = found.get(text);
      if (known === undefined) found.set(text, { text, files: [`${packageName}/${file}`] });
      else known.files.push(`${packageName}/${file}`);
    }
  }
  const all = [...found.values()];
  const chosen = Math.min(count, all.length);
  // Of every `all.length / chosen` in a row the first one.
  const texts = all.filter(
    (_, i) => i === 0 || Math.floor((i * chosen) / all.length) > Math.floor(((i - 1) * chosen) / all.length),
  );
  return { files, different: all.length, texts };
}

/**
 * The first line of any of the texts that has a long row of words, and no colon at its end.
 *
 * @param {readonly Text[]} texts
 */
export function wordyLine(texts) {
  for (const { text } of texts) {
    const line = text.split("\n").find((each) => /^(?:\w+ ){8,}\w+(?: \w+)*[^\w\s:]?$/.test(each));
    if (line !== undefined) return line;
  }
  return "The above copyright notice and this permission notice shall be included in all";
}

function packages() {
  const names = list(nodeModules).filter((entry) => !entry.startsWith("."));
  return names.flatMap((entry) =>
    entry.startsWith("@") ? list(join(nodeModules, entry)).map((inner) => `${entry}/${inner}`) : [entry],
  );
}

/**
 * @param {string} folder
 * @returns {string[]} nothing for what is no folder
 */
function list(folder) {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** @param {string} file */
function read(file) {
  if (!statSync(file).isFile()) return undefined;
  return readFileSync(file, "utf8").replaceAll("\r", "").trim();
}
