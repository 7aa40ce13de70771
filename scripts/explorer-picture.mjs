// @ts-check
/**
 * The picture of the explorer in the README: `npm run build && node scripts/explorer-picture.mjs`. A real server, a real page in
 * Chromium: two rides, without cancellation and with it, then a fast pan, and in the middle of that the picture. What the figures say
 * was measured just then: make it on a machine that has nothing else to do.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { indexedPng } from "./figures/indexed-png.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const path = fileURLToPath(new URL("../docs/figures/explorer.png", import.meta.url));

const server = spawn(process.execPath, ["examples/explorer/main.mjs", "--port", "0"], {
  cwd: root,
  stdio: ["ignore", "pipe", "inherit"],
});
const [printed] = /** @type {[Buffer]} */ (await once(server.stdout, "data"));
const url = String(printed).split("\n", 1)[0] ?? "";

const { LIFEGUARD_CHROMIUM: given = "" } = process.env;
const executablePath = given === "" ? "/usr/bin/chromium" : given;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage({ viewport: { width: 1400, height: 800 }, colorScheme: "dark" });
  page.setDefaultTimeout(120_000);
  const open = page.locator('#map[data-picture="open"]');
  const whole = page.locator('#map[data-picture="whole"]');
  await page.goto(url);
  await whole.waitFor();
  await page.keyboard.press("c");
  for (const cancels of [false, true]) {
    if (cancels) await page.keyboard.press("c");
    await page.keyboard.press("r");
    await open.waitFor();
    await whole.waitFor();
  }
  await page.evaluate('location.hash = "#-0.7468,0.1127,9.2"');
  await page
    .locator("#arrived")
    .filter({ hasText: /^1[0-9] of/ })
    .waitFor();
  // Up, faster than tiles come, and back to where there are some.
  for (const [from, to] of /** @type {const} */ ([
    [60, 700],
    [60, 700],
    [700, 60],
    [700, 60],
    [100, 560],
  ])) {
    await page.mouse.move(500, from);
    await page.mouse.down();
    await page.mouse.move(500, to, { steps: 12 });
    await page.mouse.up();
  }
  await page.locator(".queued").first().waitFor();
  const { width, height, pixels } = await pixelsOf(browser, await page.screenshot());
  writeFileSync(path, indexedPng(width, height, pixels));
} finally {
  await browser.close();
  server.kill("SIGTERM");
}

/**
 * Of a PNG, which the browser can read.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {Buffer} png
 */
async function pixelsOf(browser, png) {
  const page = await browser.newPage();
  const found = /** @type {{ width: number, height: number, bytes: string }} */ (
    await page.evaluate(`(async () => {
      const image = new Image();
      image.src = "data:image/png;base64,${png.toString("base64")}";
      await image.decode();
      const { width, height } = image;
      const pen = new OffscreenCanvas(width, height).getContext("2d");
      pen.drawImage(image, 0, 0);
      const rows = [];
      for (let y = 0; y < height; y++) rows.push(String.fromCharCode(...pen.getImageData(0, y, width, 1).data));
      return { width, height, bytes: btoa(rows.join("")) };
    })()`)
  );
  return { ...found, pixels: new Uint8Array(Buffer.from(found.bytes, "base64")) };
}
