import { describe, expect, test, vi } from "vitest";
import {
  afterFunc,
  background,
  CanceledError,
  type CancelFunc,
  type Context,
  cause,
  contextKey,
  withCancel,
  withSignal,
  withTimeout,
  withValue,
} from "../../src/context/index.js";
import { everyKind } from "../support/contexts.js";
import { openableGate } from "../support/gate.js";
import { collectable, heapGrowth } from "../support/memory.js";
import { microtask, settles, turn } from "../support/turn.js";

const key = contextKey<unknown>("key");

describe("what a context says", () => {
  test("3. err() is undefined until the context ends and then never changes", async () => {
    const [ctx, cancel] = withCancel(background);
    expect(ctx.err()).toBeUndefined();
    cancel();
    const err = ctx.err();
    expect(err).toBeInstanceOf(CanceledError);
    cancel(new Error("later"));
    await turn();
    expect(ctx.err()).toBe(err);
  });

  test("3. throwIfDone() does nothing while live and throws err() afterwards", () => {
    const [ctx, cancel] = withCancel(background);
    expect(() => {
      ctx.throwIfDone();
    }).not.toThrow();
    cancel();
    let thrown: unknown;
    try {
      ctx.throwIfDone();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBe(ctx.err());
    expect(thrown).toBeDefined();
  });

  test("4. when err() is set, done() has been resolved: its reactions run in the microtask after", async () => {
    const [ctx, cancel] = withCancel(background);
    let reacted = false;
    void ctx.done().then(() => {
      reacted = true;
    });
    await turn();
    expect(reacted).toBe(false);
    cancel();
    expect(reacted).toBe(false);
    await microtask();
    expect(reacted).toBe(true);
  });

  test("4. done() is the same promise every time, before and after the end", async () => {
    const [ctx, cancel] = withCancel(background);
    const done = ctx.done();
    expect(ctx.done()).toBe(done);
    cancel();
    expect(ctx.done()).toBe(done);
    await expect(done).resolves.toBeUndefined();
    expect(ctx.done()).toBe(done);
  });

  test("4. done() first asked for after the end is already resolved, and stays the same", async () => {
    const [ctx, cancel] = withCancel(background);
    cancel();
    const done = ctx.done();
    let reacted = false;
    void done.then(() => {
      reacted = true;
    });
    await microtask();
    expect(reacted).toBe(true);
    expect(ctx.done()).toBe(done);
  });

  test("4. done() never rejects, whatever the cause", async () => {
    const [ctx, cancel] = withCancel(background);
    const early = ctx.done();
    cancel(Promise.reject.bind(Promise));
    await expect(early).resolves.toBeUndefined();
    const [other, cancelOther] = withCancel(background);
    cancelOther(new Error("why"));
    await expect(other.done()).resolves.toBeUndefined();
  });

  test("6. a value layer shares its parent's done, error and deadline", () => {
    const [parent, cancel] = withTimeout(background, 3_600_000);
    const layer = withValue(withValue(parent, key, 1), key, 2);
    expect(layer.done()).toBe(parent.done());
    expect(layer.deadline()).toBe(parent.deadline());
    expect(layer.deadline()).toBeDefined();
    expect(layer.err()).toBeUndefined();
    cancel("why");
    expect(layer.err()).toBe(parent.err());
    expect(layer.err()).toBeDefined();
    expect(cause(layer)).toBe("why");
    expect(layer.done()).toBe(parent.done());
    expect(layer.signal.reason).toBe(parent.err());
    expect(() => {
      layer.throwIfDone();
    }).toThrow(CanceledError);
  });
});

describe("cancel", () => {
  test("9. a new context is live, with a done of its own", () => {
    const [parent] = withCancel(background);
    const [child] = withCancel(parent);
    expect(child).not.toBe(parent);
    expect(child.err()).toBeUndefined();
    expect(child.done()).not.toBe(parent.done());
  });

  test("9. cancel() ends it with a CanceledError, which is also the cause", () => {
    const [ctx, cancel] = withCancel(background);
    cancel();
    expect(ctx.err()).toBeInstanceOf(CanceledError);
    expect(cause(ctx)).toBe(ctx.err());
  });

  test("10. only the first cancel counts, whatever cause a later one brings", () => {
    const [ctx, cancel] = withCancel(background);
    cancel("first");
    const err = ctx.err();
    cancel("second");
    cancel();
    cancel(null);
    expect(ctx.err()).toBe(err);
    expect(cause(ctx)).toBe("first");
  });

  test("10. a cause that comes after a cancel without one is not taken", () => {
    const [ctx, cancel] = withCancel(background);
    cancel();
    cancel("late");
    expect(cause(ctx)).toBe(ctx.err());
    expect(ctx.err()?.cause).toBeUndefined();
  });

  test("11. when cancel() returns, all descendants are cancelled, through value layers and at any depth", () => {
    const [root, cancel] = withCancel(background);
    const contexts: Context[] = [root];
    for (let depth = 0; depth < 6; depth++) {
      for (const parent of contexts.slice(-8)) {
        const layer = withValue(parent, key, depth);
        contexts.push(layer, withCancel(layer)[0], withTimeout(withValue(layer, key, 0), 3_600_000)[0]);
        contexts.push(withSignal(parent, new AbortController().signal)[0]);
      }
    }
    for (const ctx of contexts) expect(ctx.err()).toBeUndefined();
    cancel("all");
    for (const ctx of contexts) {
      expect(ctx.err()).toBe(root.err());
      expect(cause(ctx)).toBe("all");
      expect(ctx.signal.aborted).toBe(true);
    }
  });

  test("11. a chain 100,000 deep is made, read and cancelled without overflowing the stack", async () => {
    const [root, cancel] = withCancel(background);
    let leaf = root;
    for (let depth = 0; depth < 100_000; depth++) [leaf] = withCancel(withValue(leaf, key, depth));
    expect(leaf.err()).toBeUndefined();
    expect(leaf.deadline()).toBeUndefined();
    expect(leaf.signal.aborted).toBe(false);
    const done = leaf.done();
    let runs = 0;
    afterFunc(leaf, () => {
      runs++;
    });
    cancel("from the top");
    expect(leaf.err()).toBe(root.err());
    expect(cause(leaf)).toBe("from the top");
    expect(leaf.signal.reason).toBe(root.err());
    await done;
    await turn();
    expect(runs).toBe(1);
  });

  test("11. a chain 100,000 deep in which every context has an earlier deadline of its own, too", () => {
    const [root, cancel] = withTimeout(background, 3_600_000 + 100_000);
    let leaf = root;
    for (let depth = 0; depth < 100_000; depth++) [leaf] = withTimeout(leaf, 3_600_000 - depth);
    expect(leaf.err()).toBeUndefined();
    cancel();
    expect(leaf.err()).toBe(root.err());
    expect(leaf.err()).toBeDefined();
  });

  test("11. 100,000 children of one parent are cancelled by one call", () => {
    const [root, cancel] = withCancel(background);
    const children = Array.from({ length: 100_000 }, () => withCancel(root)[0]);
    cancel();
    expect(children.every((child) => child.err() === root.err())).toBe(true);
    expect(root.err()).toBeDefined();
  });

  test("12. cancel() does not wait for the work to stop", async () => {
    const [ctx, cancel] = withCancel(background);
    const gate = openableGate();
    let stopped = false;
    const work = ctx.done().then(async () => {
      await gate.opened;
      stopped = true;
    });
    cancel();
    expect(ctx.err()).toBeDefined();
    await turn();
    expect(stopped).toBe(false);
    gate.open();
    await work;
    expect(stopped).toBe(true);
  });

  test("12. cancel() leaves parent and siblings alone", async () => {
    const [parent, cancelParent] = withCancel(background);
    const [first, cancelFirst] = withCancel(parent);
    const [second] = withCancel(parent);
    cancelFirst("first only");
    await turn();
    expect(first.err()).toBeDefined();
    for (const ctx of [parent, second]) {
      expect(ctx.err()).toBeUndefined();
      expect(cause(ctx)).toBeUndefined();
      expect(ctx.signal.aborted).toBe(false);
    }
    expect(await settles(second.done())).toBe(false);
    cancelParent("both");
    expect(cause(second)).toBe("both");
    expect(cause(first)).toBe("first only");
  });

  test("13. a child of a cancelled parent is born cancelled with the parent's error and cause", async () => {
    const [parent, cancel] = withCancel(background);
    cancel("too late");
    const derived: Context[] = [
      withCancel(parent)[0],
      withCancel(withValue(parent, key, 1))[0],
      withTimeout(parent, 1000)[0],
      withTimeout(parent, 0)[0],
      withSignal(parent, new AbortController().signal)[0],
      withCancel(withCancel(parent)[0])[0],
    ];
    for (const child of derived) {
      expect(child.err()).toBe(parent.err());
      expect(cause(child)).toBe("too late");
      expect(child.signal.aborted).toBe(true);
      expect(child.signal.reason).toBe(parent.err());
      await expect(child.done()).resolves.toBeUndefined();
    }
  });

  test("13. cancelling a context that was born cancelled changes nothing", () => {
    const [parent, cancelParent] = withCancel(background);
    cancelParent("parent");
    const [child, cancelChild] = withCancel(parent);
    cancelChild("child");
    expect(child.err()).toBe(parent.err());
    expect(cause(child)).toBe("parent");
  });

  test("14. whoever hears of the end finds error and cause set, there and in every ancestor", () => {
    const [top, cancel] = withCancel(background);
    const [middle] = withCancel(top);
    const [leaf] = withCancel(middle);
    const heard: Context[] = [];
    for (const ctx of [top, middle, leaf]) {
      ctx.signal.addEventListener("abort", () => {
        heard.push(ctx);
        for (let i = 0; i <= [top, middle, leaf].indexOf(ctx); i++) {
          expect([top, middle, leaf][i]?.err()).toBe(top.err());
          expect(cause([top, middle, leaf][i] ?? top)).toBe("why");
        }
      });
    }
    cancel("why");
    expect(heard).toEqual([top, middle, leaf]);
  });

  test("14. done() is resolved for the ancestor first, then for what is below it", async () => {
    const [top, cancel] = withCancel(background);
    const [middle] = withCancel(top);
    const [leaf] = withCancel(middle);
    const order: string[] = [];
    void leaf.done().then(() => order.push("leaf"));
    void middle.done().then(() => order.push("middle"));
    void top.done().then(() => order.push("top"));
    cancel();
    await turn();
    expect(order).toEqual(["top", "middle", "leaf"]);
  });

  test("16. an abort listener may cancel the tree it is in: nothing hangs, nothing runs twice", async () => {
    const [root, cancelRoot] = withCancel(background);
    const [left, cancelLeft] = withCancel(root);
    const [right, cancelRight] = withCancel(root);
    const runs = { listeners: 0, functions: 0 };
    for (const ctx of [root, left, right]) {
      ctx.signal.addEventListener("abort", () => {
        runs.listeners++;
        cancelRoot("again");
        cancelLeft("again");
        cancelRight("again");
      });
      afterFunc(ctx, () => {
        runs.functions++;
      });
    }
    cancelRoot("first");
    expect(runs.listeners).toBe(3);
    expect(cause(root)).toBe("first");
    for (const ctx of [left, right]) expect(ctx.err()).toBeDefined();
    await turn();
    expect(runs).toEqual({ listeners: 3, functions: 3 });
  });

  test("16. a function of afterFunc may cancel the tree it is in: each one runs once", async () => {
    const [root, cancelRoot] = withCancel(background);
    const [left, cancelLeft] = withCancel(root);
    const [right] = withCancel(root);
    const order: string[] = [];
    afterFunc(left, () => {
      order.push("left");
      cancelRoot("from below");
      cancelLeft("again");
    });
    afterFunc(right, () => {
      order.push("right");
      cancelRoot("again");
    });
    cancelLeft("start");
    await turn();
    expect(order).toEqual(["left", "right"]);
    expect(cause(left)).toBe("start");
    expect(cause(root)).toBe("from below");
    expect(cause(right)).toBe("from below");
  });

  test("16. what an abort listener derives from the ending tree is born cancelled, or cancelled when cancel() returns", () => {
    const [root, cancel] = withCancel(background);
    const branches = Array.from({ length: 5 }, () => withCancel(root)[0]);
    const derived: Context[] = [];
    branches[2]?.signal.addEventListener("abort", () => {
      for (const parent of [root, ...branches]) derived.push(withCancel(withValue(parent, key, 1))[0]);
    });
    cancel("why");
    expect(derived).toHaveLength(6);
    for (const ctx of derived) {
      expect(ctx.err()).toBe(root.err());
      expect(cause(ctx)).toBe("why");
    }
  });

  test("16. an abort listener may stop a function of afterFunc and cancel siblings that are still waiting their turn", async () => {
    const [root, cancel] = withCancel(background);
    const siblings = Array.from({ length: 5 }, () => withCancel(root));
    const ran = new Set<number>();
    const prevented = new Set<number>();
    const stops = siblings.map(([ctx], i) => afterFunc(ctx, () => ran.add(i)));
    siblings[2]?.[0].signal.addEventListener("abort", () => {
      siblings.forEach(([, cancelSibling], i) => {
        cancelSibling("by the listener");
        if (stops[i]?.() === true) prevented.add(i);
      });
    });
    cancel("by the root");
    for (const [ctx] of siblings) {
      expect(ctx.err()).toBeInstanceOf(CanceledError);
      expect(["by the root", "by the listener"]).toContain(cause(ctx));
      expect(ctx.err()?.cause).toBe(cause(ctx));
    }
    await turn();
    for (const i of siblings.keys()) expect(ran.has(i)).toBe(!prevented.has(i));
  });

  test("17. without a parent it throws, naming the function", () => {
    expect(() => withCancel(undefined as never)).toThrow(/withCancel/);
    expect(() => withCancel(null as never)).toThrow(/withCancel/);
    expect(() => withCancel(undefined as never)).toThrow(TypeError);
  });
});

describe("what a parent holds", () => {
  const million = 1_000_000;
  /** Less than a byte a child. What is really held would be a hundred times that. */
  const flat = 1_000_000;

  test("15. a million children made and cancelled under one root leave the heap where it was", () => {
    const [root] = withCancel(background);
    const growth = heapGrowth(million, () => {
      const [, cancel] = withCancel(root);
      cancel();
    });
    expect(growth).toBeLessThan(flat);
    expect(root.err()).toBeUndefined();
  });

  test("15. a million timeouts made and cancelled leave the heap where it was, also behind a nearer deadline", () => {
    const [root] = withCancel(background);
    const [nearer] = withTimeout(root, 1_800_000);
    const growth = heapGrowth(million, () => {
      const [, cancel] = withTimeout(root, 3_600_000);
      cancel();
    });
    expect(growth).toBeLessThan(flat);
    expect(nearer.err()).toBeUndefined();
  });

  test("15. a million functions of afterFunc registered and stopped leave the heap where it was", () => {
    const [root] = withCancel(background);
    const growth = heapGrowth(million, () => {
      const stop = afterFunc(root, () => root.err());
      stop();
    });
    expect(growth).toBeLessThan(flat);
    expect(root.err()).toBeUndefined();
  });

  test("15. a million value layers leave nothing on the root", () => {
    const [root] = withCancel(background);
    const growth = heapGrowth(million, () => withValue(root, key, 1).err());
    expect(growth).toBeLessThan(flat);
    expect(root.err()).toBeUndefined();
  });

  const makers: Record<string, (parent: Context) => [Context, CancelFunc]> = {
    withCancel,
    withTimeout: (parent) => withTimeout(parent, 3_600_000),
    "withTimeout without end": (parent) => withTimeout(parent, Infinity),
    withSignal: (parent) => withSignal(parent, new AbortController().signal),
    "withCancel below a value": (parent) => withCancel(withValue(parent, key, {})),
  };
  for (const [name, make] of Object.entries(makers)) {
    test(`15. ${name}: a child cancelled by itself is removed from its parent's set`, async () => {
      const [parent, cancelParent] = withCancel(background);
      const [sibling] = make(parent);
      const made = () => {
        const [child, cancel] = make(parent);
        void child.done();
        expect(child.signal.aborted).toBe(false);
        cancel();
        return child;
      };
      expect(await collectable(made)).toBe(true);
      expect(parent.err()).toBeUndefined();
      cancelParent();
      expect(sibling.err()).toBe(parent.err());
    });

    test(`15. ${name}: a cancelled parent empties its set`, async () => {
      const [parent, cancelParent] = withCancel(background);
      const made = () => {
        const [child] = make(parent);
        void child.done();
        cancelParent();
        expect(child.err()).toBe(parent.err());
        return child;
      };
      expect(await collectable(made)).toBe(true);
      expect(parent.err()).toBeDefined();
    });

    test(`15. ${name}: a child born cancelled is not held by its parent`, async () => {
      const [parent, cancelParent] = withCancel(background);
      cancelParent();
      expect(await collectable(() => make(parent)[0])).toBe(true);
      expect(parent.err()).toBeDefined();
    });
  }

  test("15. removing a child from the middle loses none of its siblings", () => {
    const [root, cancelRoot] = withCancel(background);
    const children = Array.from({ length: 100 }, () => withCancel(root));
    children.forEach(([, cancel], i) => {
      if (i % 3 === 1) cancel("alone");
    });
    const late = withCancel(root)[0];
    cancelRoot("all");
    children.forEach(([ctx], i) => {
      expect(cause(ctx)).toBe(i % 3 === 1 ? "alone" : "all");
    });
    expect(cause(late)).toBe("all");
  });

  test("15. a cancel function that is kept holds nothing of its context's past children", async () => {
    const [root, cancel] = withCancel(background);
    expect(
      await collectable(() => {
        const [child, cancelChild] = withCancel(root);
        cancelChild();
        return child;
      }),
    ).toBe(true);
    cancel();
    expect(root.err()).toBeDefined();
  });
});

describe("cancel as a disposable", () => {
  test("cancel[Symbol.dispose]() cancels without a cause", () => {
    const [ctx, cancel] = withCancel(background);
    cancel[Symbol.dispose]();
    expect(ctx.err()).toBeInstanceOf(CanceledError);
    expect(cause(ctx)).toBe(ctx.err());
  });

  test("where there is no Symbol.dispose, it has it under the name that stands in for it", async () => {
    const present = Symbol;
    const older: unknown = Object.setPrototypeOf((name?: string) => present(name), present);
    Reflect.defineProperty(older as object, "dispose", { value: undefined });
    vi.resetModules();
    vi.stubGlobal("Symbol", older);
    const copy = await import("../../src/context/index.js").finally(() => vi.unstubAllGlobals());
    const [ctx, cancel] = copy.withCancel(copy.background);
    const dispose: unknown = Reflect.get(cancel, Symbol.for("Symbol.dispose"));
    expect(dispose).toBeTypeOf("function");
    Reflect.apply(dispose as () => void, cancel, []);
    expect(ctx.err()).toBeInstanceOf(copy.CanceledError);
    expect(Symbol.dispose in cancel).toBe(false);
  });

  test("`using _ = cancel` cancels when the scope is left, by return or by throw", () => {
    let kept: Context = background;
    const scope = (leave: () => void) => {
      const [ctx, cancel] = withCancel(background);
      using _ = cancel;
      kept = ctx;
      expect(ctx.err()).toBeUndefined();
      leave();
    };
    scope(() => undefined);
    expect(kept.err()).toBeInstanceOf(CanceledError);
    const failure = new Error("thrown inside");
    expect(() => {
      scope(() => {
        throw failure;
      });
    }).toThrow(failure);
    expect(kept.err()).toBeInstanceOf(CanceledError);
  });

  test("leaving the scope after an explicit cancel changes nothing", () => {
    const [ctx, cancel] = withCancel(background);
    {
      using _ = cancel;
      cancel("explicit");
    }
    expect(cause(ctx)).toBe("explicit");
  });

  test("withTimeout and withSignal hand out disposable cancel functions, too", () => {
    for (const [ctx, cancel] of [
      withTimeout(background, 1000),
      withTimeout(background, 0),
      withSignal(background, new AbortController().signal),
      withCancel(withTimeout(background, 0)[0]),
    ]) {
      cancel[Symbol.dispose]();
      expect(ctx.err()).toBeDefined();
    }
  });

  test("cancel works detached and in place of a callback without arguments", () => {
    const [ctx, cancel] = withCancel(background);
    const callback = vi.fn(cancel);
    callback();
    expect(cause(ctx)).toBe(ctx.err());
  });
});

test("no context of any kind can be cloned by accident", () => {
  for (const [kind, ctx] of everyKind()) {
    expect(() => structuredClone(ctx), kind).toThrow(DOMException);
    expect(() => structuredClone({ inside: [ctx] }), kind).toThrow(DOMException);
  }
});

test("a context that has ended cannot be cloned either", () => {
  const [ctx, cancel] = withCancel(background);
  cancel();
  expect(() => structuredClone(ctx)).toThrow(DOMException);
  expect(() => structuredClone(withValue(ctx, key, 1))).toThrow(DOMException);
  expect(() => structuredClone(withTimeout(background, 0)[0])).toThrow(DOMException);
});
