import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  type Explorer,
  expectToAddUp,
  startExplorer,
  statsOf,
  whenStats,
} from "../examples/explorer-server.js";
import { describeInChromium, launch } from "./chromium.js";

const timeout = 120_000;
/** In the middle of the set, where each tile takes as long as tiles can. */
const within = "#-0.2,0,5";
/** Far from it, where they are there at once. */
const nowhere = "#1.2,1.9,9";

interface View {
  readonly re: number;
  readonly im: number;
  readonly zoom: number;
}

/** A few tiles of some seconds each: there is time to pick one. */
const large = { deviceScaleFactor: 2, viewport: { width: 700, height: 400 } };

describeInChromium("the explorer, in Chromium", () => {
  let browser: Browser;
  let explorer: Explorer;
  let errors: string[];

  beforeAll(async () => {
    browser = await launch();
  }, timeout);

  afterAll(async () => {
    await browser.close();
  }, timeout);

  beforeEach(async () => {
    explorer = await startExplorer();
    errors = [];
  }, timeout);

  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await explorer.end("SIGTERM");
    expect(explorer.complaints()).toBe("");
    expect(errors).toEqual([]);
  }, timeout);

  async function open(hash = "", options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1000, height: 600 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(timeout / 2); // What is missing is told, then.
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`${explorer.url}${hash}`);
    return page;
  }

  const map = (page: Page) => page.getByRole("application");
  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
  const whole = (page: Page) => page.locator('#map[data-picture="whole"]').waitFor();
  const inView = (page: Page) =>
    page.evaluate<{ here: number; inView: number }>(
      "({ here: Number(map.dataset.here), inView: Number(map.dataset.inView) })",
    );
  const detail = (page: Page, steps: string) => page.getByLabel("Detail").selectOption(steps);
  /** What is in view, by the page's address, once it is as wanted. */
  async function viewOnce(page: Page, wanted: (view: View) => boolean): Promise<View> {
    let view: View = { re: 0, im: 0, zoom: 0 };
    await expect
      .poll(
        async () => {
          const hash = await page.evaluate<string>("location.hash");
          const [re = Number.NaN, im = Number.NaN, zoom = Number.NaN] = hash.slice(1).split(",").map(Number);
          view = { re, im, zoom };
          return wanted(view) || hash;
        },
        { timeout },
      )
      .toBe(true);
    return view;
  }

  /** Colours of the map, as "red,green,blue": in the set, and far from it. */
  const colors = (page: Page) =>
    page.evaluate<string[]>(`[[0.5, 0.5], [0.02, 0.02]].map(([x, y]) => {
      const { data } = canvas.getContext("2d").getImageData(canvas.width * x, canvas.height * y, 1, 1);
      return data.slice(0, 3).join();
    })`);

  /** The page in the middle of the set, with that much detail: nothing is under way that was asked for with another. */
  async function openWithin(steps: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await open(nowhere, options);
    await whole(page);
    await detail(page, steps);
    await whole(page);
    await page.evaluate(`location.hash = "${within}"`);
    await page.getByText(/^0 of \d+ tiles$/).waitFor();
    return page;
  }

  /** Drags the map to where it has not been, time and again, as soon as there is something new to leave behind. */
  async function panOn(page: Page, times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const { submitted } = await statsOf(explorer);
      const [x, y] = (
        [
          [-230, 0],
          [0, -140],
          [230, 0],
          [0, -140],
        ] as const
      )[i % 4] ?? [0, 0];
      await page.mouse.move(290 - x, 300 - y);
      await page.mouse.down();
      await page.mouse.move(290 + x, 300 + y, { steps: 4 });
      await page.mouse.up();
      await whenStats(explorer, (stats) => stats.submitted > submitted);
    }
  }

  test(
    "the page loads, and all tiles in view arrive: the set and what is around it",
    async () => {
      const page = await open();
      await whole(page);
      const { here, inView: wanted } = await inView(page);
      expect(wanted).toBeGreaterThan(3);
      expect(here).toBe(wanted);
      const stats = await whenStats(explorer, ({ live }) => live === 0);
      expect(stats.outcomes).toEqual({ completed: wanted });
      const [inside, outside] = await colors(page);
      expect(inside).toBe("23,29,51");
      expect(outside).not.toBe(inside);
      await page.getByText(`${wanted} of ${wanted} tiles`, { exact: true }).waitFor();
      await page.getByText(`${wanted} completed`).waitFor();
      expect(await page.getByRole("status").textContent()).toMatch(
        /^All \d+ tiles in view are there, [\d.]+ m?s after the last move\.$/,
      );
    },
    timeout,
  );

  test(
    "panned quickly: tiles that left stop or are never begun, those in view arrive, and each task is accounted for",
    async () => {
      const page = await openWithin("8000");
      await panOn(page, 10);
      // By leaving alone: a change of the detail gives up what is under way, too.
      await whenStats(explorer, ({ outcomes }) => (outcomes.stopped ?? 0) > 0);
      await detail(page, "250");
      await whole(page);
      const { here, inView: wanted } = await inView(page);
      expect(here).toBe(wanted);
      const stats = await whenStats(explorer, ({ live }) => live === 0);
      const { stopped = 0, dropped = 0 } = stats.outcomes;
      expect(stopped).toBeGreaterThan(0);
      expect(stopped + dropped).toBeGreaterThanOrEqual(10);
      expect(stats.on.left).toBeGreaterThanOrEqual(10);
      // What was dropped from the queue is not among the times.
      expect(stats.on.running).toBeGreaterThan(0);
      expect(stats.on.running).toBeLessThanOrEqual(stats.on.left - dropped);
      expectToAddUp(stats);
      await page.getByText(`${stopped} stopped`).waitFor();
      expect(await page.locator("#on-p50").textContent()).toMatch(/^[\d.]+ (?:µs|ms|s)$/);
    },
    timeout,
  );

  test(
    "with cancellation off the same goes on for nobody: all tasks run to their end, and none is stopped",
    async () => {
      const page = await openWithin("1000");
      await page.getByRole("switch", { name: "Cancel what leaves" }).click();
      // What was asked for before the click can still be cancelled; from here on nothing is.
      await whole(page);
      const { outcomes } = await statsOf(explorer);
      await panOn(page, 4);
      const stats = await whenStats(explorer, ({ live, off }) => live === 0 && off.left > 0);
      expect(stats.outcomes.completed).toBeGreaterThan(outcomes.completed ?? 0);
      expect({ ...stats.outcomes, completed: 0 }).toEqual({ ...outcomes, completed: 0 });
      expect(stats.off.wasted).toBeGreaterThan(0);
      await whole(page);
      expectToAddUp(await whenStats(explorer, ({ live }) => live === 0));
      expect(await page.locator("#off-wasted").textContent()).toMatch(/^[\d.]+ (?:µs|ms|s)$/);
    },
    timeout,
  );

  test(
    "a server that is gone is told of once, and what it was doing is not shown as if it still were",
    async () => {
      const page = await openWithin("8000");
      await page.locator(".running").first().waitFor();
      await page.getByText(/^server · \d+ requests, [12] running, \d+ queued$/).waitFor();
      const says = page.getByRole("status");
      await page.evaluate(`said = []; new MutationObserver(() => said.push(document.getElementById("says").textContent))
        .observe(document.getElementById("says"), { childList: true })`);
      explorer.child.kill("SIGKILL");
      await says.filter({ hasText: "The connection to the server is lost." }).waitFor();
      await page.getByText("server · no connection", { exact: true }).waitFor();
      await page.getByText("no connection to the server", { exact: true }).waitFor();
      expect(await page.locator(".running, .queued, .doing:not(:text('unknown'))").count()).toBe(0);
      // What is said later stays: that the server is still gone is nothing new.
      await page.keyboard.press("c");
      await page.waitForEvent("requestfailed", (request) => request.url().endsWith("/live"));
      await page.waitForTimeout(100);
      expect(await page.evaluate("said")).toEqual([
        "The connection to the server is lost.",
        "What leaves the view goes on, for nobody.",
      ]);
    },
    timeout,
  );

  test(
    "a tile is picked with a click, cancelled by hand, and asked for again",
    async () => {
      const page = await openWithin("8000");
      await page.locator(".running").first().waitFor();
      await map(page).click({ position: { x: 300, y: 300 } });
      await button(page, "Cancel").click();
      await page.getByText(/^cancelled by hand: (?:stopped|dropped) /).waitFor();
      const { outcomes } = await statsOf(explorer);
      expect((outcomes.stopped ?? 0) + (outcomes.dropped ?? 0)).toBeGreaterThan(0);
      await page.getByText("Cancelled by hand.").waitFor();
      await button(page, "Ask again").click();
      await page
        .locator("#card-text")
        .filter({ hasText: /running|waits/ })
        .waitFor();
      await detail(page, "250");
      await whole(page);
      const { here, inView: wanted } = await inView(page);
      expect(here).toBe(wanted);
    },
    timeout,
  );

  test(
    "a context is picked in the tree, and cancelled there: the one of a task",
    async () => {
      const page = await openWithin("8000", large);
      const running = page.locator(".running .task").first();
      await running.click();
      await page.getByText(/^Task of tile/).waitFor();
      await page.keyboard.press("Delete");
      await page.getByText(/^cancelled by hand: stopped /).waitFor();
      await page.locator(".server").click();
      await page.getByText("The server's context").waitFor();
    },
    timeout,
  );

  test(
    "the keyboard does for all of it",
    async () => {
      const page = await open("", large);
      await detail(page, "250");
      await whole(page);
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.id")).toBe("map");
      const start = await viewOnce(page, ({ zoom }) => zoom > 0);
      await page.keyboard.press("ArrowRight");
      await viewOnce(page, ({ re }) => re > start.re);
      await page.keyboard.press("+");
      const closer = await viewOnce(page, ({ zoom }) => zoom > start.zoom);
      expect(closer.zoom - start.zoom).toBeCloseTo(0.5);
      await page.keyboard.press("0");
      await viewOnce(page, ({ re, zoom }) => re === start.re && zoom === start.zoom);

      const toggle = page.getByRole("switch");
      expect(await toggle.getAttribute("aria-checked")).toBe("true");
      await page.keyboard.press("c");
      expect(await toggle.getAttribute("aria-checked")).toBe("false");
      await page.keyboard.press("c");
      expect(await toggle.getAttribute("aria-checked")).toBe("true");

      await detail(page, "8000");
      await whole(page);
      await map(page).focus();
      await page.evaluate(`location.hash = "${within}"`);
      await page.locator(".running").first().waitFor();
      await page.keyboard.press("n");
      await page
        .locator("#card-text")
        .filter({ hasText: /running|waits/ })
        .waitFor();
      await page.keyboard.press("Delete");
      await page.getByText(/^cancelled by hand: /).waitFor();
      await page.keyboard.press("a");
      await page.locator("#card-text").filter({ hasNotText: "cancelled" }).waitFor();
      // The focus stays with what can be done, whatever becomes of the button that had it.
      const focus = () => page.evaluate<string>("document.activeElement.id");
      await page.locator("#cancel:enabled").focus();
      await page.keyboard.press("Enter");
      await expect.poll(focus, { timeout }).toBe("again");
      await page.getByText(/^cancelled by hand: /).waitFor();
      await page.keyboard.press("Enter");
      await expect.poll(focus, { timeout }).toBe("cancel");
      await page.keyboard.press("Escape");
      await page.locator("#card").waitFor({ state: "hidden" });
      expect(await focus()).toBe("map");
      // All that can be clicked can be reached.
      for (const id of ["spot", "detail", "closer", "farther", "home", "toggle", "ride"])
        expect(await page.evaluate(`document.getElementById("${id}").tabIndex`)).toBe(0);
    },
    timeout,
  );

  test(
    "fits the narrowest phone; a finger moves the map, two zoom it, a tap picks a tile",
    async () => {
      const page = await open("#-0.65,0,2", {
        viewport: { width: 320, height: 640 },
        hasTouch: true,
        isMobile: true,
      });
      await whole(page);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
      const session = await page.context().newCDPSession(page);
      const touch = (type: "touchStart" | "touchMove" | "touchEnd", ...points: [x: number, y: number][]) =>
        session.send("Input.dispatchTouchEvent", {
          type,
          touchPoints: points.map(([x, y], id) => ({ x, y, id })),
        });
      await touch("touchStart", [200, 200]);
      await touch("touchMove", [150, 200]);
      await touch("touchMove", [100, 200]);
      await touch("touchEnd");
      await viewOnce(page, ({ re }) => re > -0.65);

      await touch("touchStart", [150, 200], [170, 200]);
      await touch("touchMove", [120, 200], [200, 200]);
      await touch("touchMove", [100, 200], [220, 200]);
      await touch("touchEnd");
      const { zoom } = await viewOnce(page, (view) => view.zoom > 2);
      expect(zoom).toBeCloseTo(2 + Math.log2(120 / 20), 1);

      await whole(page);
      await page.touchscreen.tap(160, 200);
      await page.getByText(/^Tile \d+\/\d+\/\d+$/).waitFor();
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
    },
    timeout,
  );

  test.each([320, 1280])(
    "the names of the deepest tiles are long, and widen nothing: neither the panel nor a page of %i pixels",
    async (width) => {
      const widths = (page: Page) =>
        page.evaluate<Record<string, number>>(`(() => {
          const aside = document.querySelector("aside");
          return {
            page: document.documentElement.scrollWidth,
            panel: aside.getBoundingClientRect().width,
            inPanel: aside.scrollWidth,
            overCard: Math.max(0, card.scrollWidth - card.clientWidth),
          };
        })()`);
      const page = await open(nowhere, { deviceScaleFactor: 2, viewport: { width, height: 800 } });
      await whole(page);
      expect(await page.evaluate("innerWidth")).toBe(width);
      const before = await widths(page);
      expect(before.page).toBe(width);
      await detail(page, "8000");
      await whole(page);
      await page.evaluate('location.hash = "#-0.2,0.01,40"');
      await page
        .locator(".doing")
        .filter({ hasText: /^tile 40/ })
        .first()
        .waitFor();
      await page.locator(".running .task").first().click();
      await page.getByText(/^Task of tile 40/).waitFor();
      expect(await widths(page)).toEqual(before);
      await page.evaluate(`location.hash = "${nowhere}"`);
      await page
        .getByText(/^tile 40.*client disconnected$/)
        .first()
        .waitFor();
      expect(await widths(page)).toEqual(before);
    },
    timeout,
  );

  test(
    "follows the system's colours, the map too",
    async () => {
      const page = await open("", { colorScheme: "light" });
      await whole(page);
      const look = async () => [
        await page.evaluate<string>("getComputedStyle(document.querySelector('aside')).backgroundColor"),
        ...(await colors(page)),
      ];
      const light = await look();
      const { submitted } = await statsOf(explorer);
      await page.emulateMedia({ colorScheme: "dark" });
      // All of it: a single one may differ because its tile was still fading in.
      await expect.poll(async () => (await look()).filter((color, i) => color === light[i])).toEqual([]);
      // In other colours, not computed again.
      expect((await statsOf(explorer)).submitted).toBe(submitted);
    },
    timeout,
  );

  test.each([
    ["a second press", "Enter"],
    ["Escape", "Escape"],
  ])(
    "a ride is stopped where it is, with %s",
    async (_name, key) => {
      const page = await open();
      await whole(page);
      await detail(page, "250");
      await whole(page);
      const start = await viewOnce(page, (view) => view.zoom > 0);
      await button(page, "Take a ride").focus();
      await page.keyboard.press("Enter");
      const stop = button(page, "Stop the ride");
      expect(await stop.getAttribute("aria-pressed")).toBe("true");
      await page.getByRole("status").filter({ hasText: "A ride has begun; Escape stops it." }).waitFor();
      await page.evaluate(`says = []; new MutationObserver(() => says.push(document.querySelector("[role=status]").textContent))
        .observe(document.querySelector("[role=status]"), { childList: true })`);
      // The address follows only when nothing moves: it is where it stopped.
      await page.waitForTimeout(500);
      await page.keyboard.press(key);
      expect(await button(page, "Take a ride").getAttribute("aria-pressed")).toBe("false");
      const { zoom } = await viewOnce(page, (view) => view.zoom > start.zoom);
      expect(zoom).toBeLessThan(12);
      await whole(page);
      expect(await page.evaluate("says[0]")).toBe("The ride was stopped.");
    },
    timeout,
  );

  test(
    "a ride goes by itself, until somebody takes over; where less motion is wanted it only jumps",
    async () => {
      const page = await open("", { reducedMotion: "reduce" });
      await whole(page);
      await page.getByLabel("Fly to").selectOption({ label: "Elephant valley" });
      await viewOnce(page, ({ re, zoom }) => re === 0.2825 && zoom === 9.4);
      await page.emulateMedia({ reducedMotion: "no-preference" });
      await button(page, "Take a ride").click();
      await page.locator('#map[data-picture="open"]').waitFor();
      await page.keyboard.press("0");
      await viewOnce(page, ({ re, zoom }) => re === -0.65 && zoom < 3);
      await whole(page);
    },
    timeout,
  );
});
