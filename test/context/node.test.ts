/** What nodes of the tree owe to the kinds of node that are built on them. */
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { Ending } from "../../src/context/ending.js";
import {
  background,
  type Context,
  cause,
  contextKey,
  todo,
  withCancel,
  withDeadline,
  withoutCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { Node } from "../../src/context/node.js";
import { Independent } from "../support/contexts.js";

test.each([
  ["live", (_: Node): void => {}],
  ["waited for", (node: Node) => void node.done()],
  ["with a child", (node: Node) => void withCancel(node)],
])("ends once, however often and by whomever it is told: %s", (_, prepare) => {
  const node = new Node(background, null, null);
  prepare(node);
  node.end(new Ending(false, "first"));
  const err = node.err();
  node.end(new Ending(true, "second"));
  expect([node.err(), cause(node)]).toEqual([err, "first"]);
});

test("is printed as its path, not as the tree around it", () => {
  const [ctx] = withTimeout(withValue(background, contextKey("key"), 1), 3_600_000);
  withCancel(ctx);
  expect(String(ctx)).toBe("background.withValue(key).withDeadline");
  expect(String(withCancel(ctx)[0])).toBe("background.withValue(key).withDeadline.withCancel");
  expect(inspect(ctx)).toBe(String(ctx));
  expect(inspect(withValue(background, contextKey("key"), 1))).toBe("background.withValue(key)");
  expect(inspect(background)).toBe("background");
  expect(inspect({ ctx })).toBe(`{ ctx: ${String(ctx)} }`);
});

test.each<[name: string, make: (parent: Context) => Context]>([
  ["withCancel", (parent) => withCancel(parent)[0]],
  ["withDeadline", (parent) => withDeadline(parent, 0)[0]],
  ["withDeadline", (parent) => withTimeout(parent, 0)[0]],
  ["withoutCancel", withoutCancel],
  ["withSignal", (parent) => withSignal(parent, new AbortController().signal)[0]],
])("is called %s in the path, after the function that makes it", (name, make) => {
  expect(String(make(todo))).toBe(`todo.${name}`);
});

test("the path begins at a custom parent, which is called that", () => {
  const custom = Object.assign(new Independent(withCancel(background)[0]), { label: "mine" });
  expect(String(withValue(withCancel(custom)[0], contextKey("key"), 1))).toBe(
    "custom.withCancel.withValue(key)",
  );
});

describe("one that is told when somebody may be waiting", () => {
  /** Counts how often it hears that somebody may be waiting. */
  class Waited extends Node {
    heard = 0;
    constructor() {
      super(background, null, null);
    }
    protected override watched(): void {
      this.heard++;
    }
  }

  test.each<[what: string, ask: (node: Node) => unknown]>([
    ["its promise", (node) => node.done()],
    ["its signal", (node) => node.signal],
    ["a child", (node) => withCancel(node)],
  ])("is, when somebody asks for %s, and not once it has ended", (_, ask) => {
    const [live, over] = [new Waited(), new Waited()];
    live.err();
    expect(live.heard).toBe(0);
    ask(live);
    expect(live.heard).toBe(1);
    over.end(new Ending(false, undefined));
    ask(over);
    expect(over.heard).toBe(0);
  });
});

describe("the end", () => {
  const told: string[] = [];

  /** Tells what it is called for. */
  class Telling extends Node {
    readonly #name: string;
    constructor(name: string, owner: Node | null) {
      super(owner ?? background, owner, null);
      this.#name = name;
    }
    protected override marked(ending: Ending): void {
      told.push(`${this.#name} marked ${String(ending.given())}`);
    }
    protected override ended(): void {
      told.push(`${this.#name} ended`);
      super.ended();
    }
  }

  class Listening extends Telling {
    override get listens(): boolean {
      return true;
    }
  }

  test.each([
    ["alone", null],
    ["with what is above it", new Node(background, null, null)],
  ])("is nothing to one that does not listen while nobody waits for it, %s", (_, above) => {
    told.length = 0;
    const quiet = new Telling("quiet", above);
    const waited = new Telling("waited", above);
    void waited.done();
    for (const node of above === null ? [quiet, waited] : [above]) node.end(new Ending(false, "why"));
    expect(told).toEqual(["waited ended"]);
  });

  test("comes to one that listens as a mark, then as news, once", () => {
    told.length = 0;
    const node = new Listening("a", null);
    node.end(new Ending(false, "why"));
    node.end(new Ending(false, "late"));
    expect(told).toEqual(["a marked why", "a ended"]);
  });

  test("is marked in all that end together before any of them is told, the oldest child first", () => {
    told.length = 0;
    const top = new Listening("top", null);
    const first = new Listening("first", top);
    new Listening("second", top);
    new Listening("below first", first);
    top.end(new Ending(false, "why"));
    const order = ["top", "first", "below first", "second"];
    expect(told).toEqual([
      ...order.map((name) => `${name} marked why`),
      ...order.map((name) => `${name} ended`),
    ]);
  });
});
