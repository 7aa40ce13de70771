import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { serve } from "../../examples/browser/site.mjs";
import { root } from "../examples/run.js";
import { describeInChromium, launch, open } from "./chromium.js";

const timeout = 120_000;

const imports = {
  "lifeguard/comlink": "./dist/comlink/browser.js",
  "lifeguard/context": "./dist/context/index.js",
  comlink: "./comlink.mjs",
};

const script = `
  import { expose, wrap } from "lifeguard/comlink";
  import { background, withCancel } from "lifeguard/context";
  import { proxy } from "comlink";

  globalThis.endsOverAPort = async () => {
    const { port1, port2 } = new MessageChannel();
    expose(async (ctx, began) => { void began(); await ctx.done(); return ctx.err().code; }, port1);
    const remote = wrap(port2, { grace: Infinity });
    const [ctx, cancel] = withCancel(background);
    let code;
    await new Promise((resolve) => { code = remote(ctx, proxy(() => resolve())); });
    cancel();
    return await code;
  };
`;

describeInChromium("without a bundler, in Chromium", () => {
  test(
    "a page loads what is in dist as it is, by an import map",
    async () => {
      const page = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${JSON.stringify({ imports })}</script><script type="module">${script}</script>`;
      const files = new Map<string, string | Uint8Array>([["", page]]);
      for (const name of readdirSync(`${root}dist`, { recursive: true, encoding: "utf8" }))
        if (/^[^\\/]+\.js$|^(?:comlink|context)[\\/].*\.js$/.test(name))
          files.set(`dist/${name.replaceAll("\\", "/")}`, readFileSync(`${root}dist/${name}`));
      const comlink = createRequire(import.meta.url)
        .resolve("comlink")
        .replace(/umd.*$/, "esm/comlink.mjs");
      files.set("comlink.mjs", readFileSync(comlink));
      const site = await serve(files);
      const browser = await launch();
      try {
        const opened = await open(browser, site.url);
        expect(await opened.page.evaluate("endsOverAPort()")).toBe("ABORT_ERR");
        expect(opened.errors).toEqual([]);
      } finally {
        await browser.close();
        await site.close();
      }
    },
    timeout,
  );
});
