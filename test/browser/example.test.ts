import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { root, run } from "../examples/run.js";
import { describeInChromium, launch, open } from "./chromium.js";

const server = "examples/browser/server.mjs";
const timeout = 120_000;
/** More than can be counted before the test is over. */
const endless = "1000000000";

interface Started {
  readonly child: ChildProcess;
  readonly exit: Promise<unknown[]>;
  readonly url: string;
}

/** The server in a process of its own, when it has said where it is. */
async function start(...args: readonly string[]): Promise<Started> {
  const child = spawn(process.execPath, [server, "--port", "0", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "close");
  let printed = "";
  for await (const text of child.stdout.setEncoding("utf8")) {
    printed += text as string;
    const [url] = /^http:\S+(?=[,\n])/.exec(printed) ?? [];
    if (url !== undefined && printed.includes("Ctrl-C")) return { child, exit, url };
  }
  throw new Error(`the server has ended: ${printed}`);
}

/** What the page says, once it says something like it. */
async function says(page: Page, what: RegExp): Promise<string> {
  const output = page.getByRole("status").filter({ hasText: what });
  await output.waitFor();
  return (await output.textContent()) ?? "";
}

describeInChromium("the example page, in Chromium", () => {
  let browser: Browser;
  let isolated: Started;
  let bare: Started;
  let errors: string[] = [];

  beforeAll(async () => {
    [browser, isolated, bare] = await Promise.all([launch(), start(), start("--no-isolation")]);
  }, timeout);

  afterAll(async () => {
    await browser.close();
    for (const { child, exit } of [isolated, bare]) {
      child.kill("SIGINT");
      await exit;
    }
  }, timeout);

  afterEach(async () => {
    for (const page of browser.contexts().flatMap((context) => context.pages())) await page.close();
    expect(errors).toEqual([]);
  });

  async function pageOf({ url }: Started): Promise<Page> {
    const opened = await open(browser, url);
    opened.page.setDefaultTimeout(timeout);
    ({ errors } = opened);
    return opened.page;
  }

  test(
    "counts, and says how many there are",
    async () => {
      const page = await pageOf(isolated);
      await page.getByLabel("primes below").fill("100000");
      await page.getByRole("button", { name: "Start" }).click();
      expect(await says(page, /There are/)).toMatch(
        /^There are 9,592 primes below 100,000\. That took [\d.]+ s\.$/,
      );
      expect(await page.getByText("it shares memory with its worker").isVisible()).toBe(true);
    },
    timeout,
  );

  test(
    "the button cancels the loop in the middle, and the next count is answered",
    async () => {
      const page = await pageOf(isolated);
      await page.getByLabel("primes below").fill(endless);
      await page.getByRole("button", { name: "Start" }).click();
      await page.getByRole("button", { name: "Cancel" }).click();
      expect(await says(page, /later/)).toMatch(
        /^Cancelled: the button was pressed\. The loop stopped [\d.]+ ms later\.$/,
      );
      await page.getByLabel("primes below").fill("10");
      await page.getByRole("button", { name: "Start" }).click();
      expect(await says(page, /There are/)).toContain("There are 4 primes below 10.");
    },
    timeout,
  );

  test(
    "the keyboard does for all of it: Enter starts, the focus is on what can be done next, Escape cancels",
    async () => {
      const page = await pageOf(isolated);
      await page.getByLabel("primes below").fill(endless);
      await page.getByRole("button", { name: "Start" }).focus();
      await page.keyboard.press("Enter");
      await page.locator("#cancel:focus").waitFor();
      await page.keyboard.press("Escape");
      expect(await says(page, /later/)).toContain("Cancelled: Escape was pressed.");
      await page.locator("#start:focus").waitFor();
    },
    timeout,
  );

  test.each([
    ["where memory is shared", () => isolated],
    ["where it is not", () => bare],
  ])(
    "the time limit stops the loop, %s",
    async (_where, started) => {
      const page = await pageOf(started());
      await page.getByLabel("primes below").fill(endless);
      await page.getByLabel("Time limit").fill("0.1");
      await page.getByRole("button", { name: "Start" }).click();
      expect(await says(page, /later/)).toContain("Cancelled: context deadline exceeded.");
    },
    timeout,
  );

  test(
    "without isolation it says what is lost, and a cancelled count is given up, though its loop goes on to its end",
    async () => {
      const page = await pageOf(bare);
      expect(await page.getByText("it shares no memory with its worker").isVisible()).toBe(true);
      await page.getByLabel("primes below").fill("5000000"); // some seconds
      await page.getByLabel("Time limit").fill("3600");
      await page.getByRole("button", { name: "Start" }).click();
      await page.getByRole("button", { name: "Cancel" }).click();
      expect(await says(page, /later/)).toContain("Cancelled: the button was pressed.");
    },
    timeout,
  );

  test(
    "fits the width of a phone, and follows the system's colours",
    async () => {
      const page = await pageOf(isolated);
      await page.setViewportSize({ width: 320, height: 640 });
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
      const background = "getComputedStyle(document.querySelector('button')).backgroundColor";
      await page.emulateMedia({ colorScheme: "light" });
      const light = await page.evaluate(background);
      await page.emulateMedia({ colorScheme: "dark" });
      expect(await page.evaluate(background)).not.toBe(light);
    },
    timeout,
  );
});

describe("its server", () => {
  test.skipIf(process.platform === "win32")(
    "Ctrl-C ends it, with an exit code that says so, while a connection is open",
    async () => {
      const { child, exit, url } = await start();
      const response = await fetch(url, { headers: { Connection: "keep-alive" } });
      expect(response.headers.get("Cross-Origin-Opener-Policy")).toBe("same-origin");
      expect(response.headers.get("Cross-Origin-Embedder-Policy")).toBe("require-corp");
      await response.text();
      child.kill("SIGINT");
      expect(await exit).toEqual([130, null]);
    },
    timeout,
  );

  test("--no-isolation leaves out the headers that let a page share memory", async () => {
    const { child, exit, url } = await start("--no-isolation");
    const { headers } = await fetch(url);
    expect(headers.get("Cross-Origin-Opener-Policy")).toBeNull();
    expect(headers.get("Cross-Origin-Embedder-Policy")).toBeNull();
    child.kill("SIGINT");
    await exit;
  });

  test.each([["--help"], ["-h"]])("%s tells the options", async (option) => {
    const { code, stdout, stderr } = await run(server, [option]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    for (const each of ["--port", "--no-isolation", "--help"]) expect(stdout).toContain(each);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test.each([
    [["--port", "many"], '--port: expected a whole number from 0 to 65535, got "many"'],
    [["--port=65536"], '--port: expected a whole number from 0 to 65535, got "65536"'],
    [["--speed"], "Unknown option '--speed'"],
    [["fast"], "Unexpected argument 'fast'"],
  ])("%j is refused, with the reason", async (args, reason) => {
    const { code, stdout, stderr } = await run(server, args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr.split("\n")[0]).toBe(`browser: ${reason}`);
    expect(stderr).toContain("--help");
  });

  test("a port that is taken is refused, with the reason", async () => {
    const { child, exit, url } = await start();
    const { code, stderr } = await run(server, ["--port", new URL(url).port]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^browser: --port: .*EADDRINUSE/);
    child.kill("SIGINT");
    await exit;
  });
});
