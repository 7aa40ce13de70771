// @ts-check
/** What a bundler and a web server do for a page: modules are bundled once, in memory, and served on this machine only. */
import { once } from "node:events";
import { createServer } from "node:http";
import { extname } from "node:path";
import { rolldown } from "rolldown";

/** @typedef {Map<string, string | Uint8Array>} Files - by their paths below the root: "main.js" */

const types = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".mjs", "text/javascript; charset=utf-8"],
]);

/** Without these two a page has no SharedArrayBuffer. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/**
 * Bundles modules for a browser: `lifeguard/comlink` is then what package.json says under the condition "browser".
 *
 * @param {Record<string, string>} input - paths of modules, by the names they get: "main" becomes "main.js"
 * @returns {Promise<Files>}
 */
export async function bundle(input) {
  // Without a tsconfig: in this repository its `paths` lead to the sources, not to what users get.
  const bundled = await rolldown({ input, platform: "browser", tsconfig: false });
  const { output } = await bundled.generate({ format: "es", entryFileNames: "[name].js" });
  await bundled.close();
  return new Map(output.map((file) => [file.fileName, file.type === "chunk" ? file.code : file.source]));
}

/**
 * Serves the files on 127.0.0.1.
 *
 * @param {Files} files - "" is the page itself
 * @param {{ port?: number, isolated?: boolean }} [options] - port 0: any that is free
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export async function serve(files, { port = 0, isolated = true } = {}) {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname.slice(1);
    const file = files.get(path);
    if (file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const type = types.get(path === "" ? ".html" : extname(path)) ?? "application/octet-stream";
    response.writeHead(200, {
      "Content-Type": type,
      "Cache-Control": "no-store",
      ...(isolated ? isolation : {}),
    });
    response.end(file);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}/`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
