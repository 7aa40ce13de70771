/** The browser the tests of pages run in: finds it, starts it, and says so where there is none. */
import { existsSync, writeSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { describe, test } from "vitest";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const elsewhere = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

const { LIFEGUARD_CHROMIUM: given } = process.env;
const executable = given === undefined || given === "" ? find() : given;

function find(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...paths, ...elsewhere].find((path) => existsSync(path));
}

const isRequired = process.env.LIFEGUARD_REQUIRE_CHROMIUM === "1";

/** `describe`. Where there is no Chromium its tests are skipped; with LIFEGUARD_REQUIRE_CHROMIUM=1 that is a failure. */
export function describeInChromium(name: string, tests: () => void): void {
  if (executable !== undefined) describe(name, tests);
  else if (isRequired) {
    test(name, () => {
      throw new Error(
        `no Chromium: neither LIFEGUARD_CHROMIUM says where it is, nor is there ${names.join(", ")}`,
      );
    });
  } else {
    // Past vitest, which keeps to itself what is printed while tests are collected.
    writeSync(2, `Skipped, as there is no Chromium (LIFEGUARD_CHROMIUM may say where it is): ${name}\n`);
    describe.skip(name, tests);
  }
}

export function launch(): Promise<Browser> {
  // No sandbox: containers have none, and the pages are our own.
  return chromium.launch({ executablePath: executable as string, args: ["--no-sandbox"] });
}

/** A page at `url`, and what goes wrong on it without anybody catching it. */
export async function open(browser: Browser, url: string): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(url);
  return { page, errors };
}
