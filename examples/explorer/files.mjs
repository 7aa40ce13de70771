// @ts-check
/** The page's files, as they are: what the browser runs is what stands in page/. */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";

const folder = new URL("./page/", import.meta.url);

const types = new Map([
  [".html", "text/html; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
]);

// Only names that were listed are ever opened, so no path leads elsewhere.
const names = new Map(
  readdirSync(folder)
    .filter((name) => types.has(extname(name)))
    .map((name) => [name === "index.html" ? "/" : `/${name}`, name]),
);

/** Nothing from anywhere else, no script or style within the markup. */
export const guarded = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};

/**
 * Read again each time: whoever changes the page reloads it, and that is all.
 *
 * @param {string} path - of the URL
 * @returns {Promise<{ type: string, body: Buffer } | undefined>} undefined: there is no such file
 */
export async function fileAt(path) {
  const name = names.get(path);
  if (name === undefined) return undefined;
  return { type: types.get(extname(name)) ?? "", body: await readFile(new URL(name, folder)) };
}
