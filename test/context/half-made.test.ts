/** In a worker, code may be cut off between any two calls, also while a context is being made: what is in the tree can be ended. */
import { afterEach, expect, test, vi } from "vitest";
import {
  afterFunc,
  background,
  type Context,
  race,
  sleep,
  withCancel,
  withSignal,
  withTimeout,
} from "../../src/context/index.js";
import { Node } from "../../src/context/node.js";

afterEach(() => {
  vi.restoreAllMocks();
});

const makers: [name: string, make: (parent: Context) => unknown][] = [
  ["withCancel", (parent) => withCancel(parent)],
  ["withTimeout", (parent) => withTimeout(parent, 60_000)],
  ["withSignal", (parent) => withSignal(parent, new AbortController().signal)],
  ["afterFunc", (parent) => afterFunc(parent, () => {})],
  ["race", (parent) => race(parent, new Promise(() => {})).catch(() => {})],
  ["sleep", (parent) => sleep(parent, 60_000).catch(() => {})],
];

test.each(makers)("%s: its parent can end at the very moment it has entered the tree", (_, make) => {
  const [parent, cancel] = withCancel(background);
  const prototype = Node.prototype as unknown as { linkTo(owner: Node): void };
  const { linkTo } = prototype;
  let entered = 0;
  vi.spyOn(prototype, "linkTo").mockImplementation(function (this: Node, owner) {
    Reflect.apply(linkTo, this, [owner]);
    if ((owner as Context) !== parent) return;
    entered++;
    cancel();
  });
  make(parent);
  expect(entered).toBe(1);
  expect(parent.err()).toMatchObject({ code: "ABORT_ERR" });
});
