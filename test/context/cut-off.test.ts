/** Ends that are cut off in the middle, as in a worker whose task is interrupted: `Node.finish` sees them through. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Ending } from "../../src/context/ending.js";
import { background } from "../../src/context/index.js";
import { Node } from "../../src/context/node.js";

const cut = new Error("cut off");

/** How many hooks are called until the cut: V8 ends an execution at the head of a function, and these are what an end calls between its steps. */
let left = Number.POSITIVE_INFINITY;

function called(): void {
  if (left-- === 0) throw cut;
}

/** Calls `work`, and says whether it was cut off at its call number `after`. */
function isCut(after: number, work: () => void): boolean {
  left = after;
  try {
    work();
    return false;
  } catch (error) {
    expect(error).toBe(cut);
    return true;
  } finally {
    left = Number.POSITIVE_INFINITY;
  }
}

const heard: string[] = [];

/** Notes what it hears. Ends another one when it hears of its own end, if it has one `alike`. */
class Noting extends Node {
  readonly name: string;
  readonly #isQuiet: boolean;
  alike: Noting | undefined;

  constructor(name: string, owner: Node | null, isQuiet: boolean) {
    super(owner ?? background, owner, null);
    this.name = name;
    this.#isQuiet = isQuiet;
  }
  override get listens(): boolean {
    called();
    return !this.#isQuiet;
  }
  protected override marked(ending: Ending): void {
    called();
    expect(this.ending).toBe(ending);
    heard.push(`${this.name} marked`);
  }
  protected override ended(): void {
    called();
    heard.push(`${this.name} ended`);
    super.ended();
    this.alike?.end(this.ending as Ending);
  }
}

interface Member {
  /** Which of those before it is above it. */
  readonly above: number;
  readonly kind: "quiet" | "listening" | "awaited" | "signalled";
}

const members = fc.array(
  fc.record<Member>({
    above: fc.nat(),
    kind: fc.constantFrom("quiet", "listening", "awaited", "signalled"),
  }),
  { maxLength: 12 },
);

function familyOf(name: string, drawn: readonly Member[]): { all: Noting[]; resolved: Set<Noting> } {
  const all = [new Noting(name, null, false)];
  const resolved = new Set<Noting>();
  for (const [i, { above, kind }] of drawn.entries()) {
    const node = new Noting(`${name}.${i}`, all[above % all.length] as Noting, kind !== "listening");
    all.push(node);
    if (kind === "awaited") void node.done().then(() => resolved.add(node));
    if (kind === "signalled") expect(node.signal.aborted).toBe(false);
  }
  return { all, resolved };
}

async function expectOver(
  drawn: readonly Member[],
  { all, resolved }: ReturnType<typeof familyOf>,
  ending: Ending,
): Promise<void> {
  await Promise.resolve();
  for (const node of all) expect(node.ending, node.name).toBe(ending);
  for (const [i, { kind }] of drawn.entries()) {
    const node = all[i + 1] as Noting;
    if (kind === "awaited") expect(resolved, node.name).toContain(node);
    if (kind === "signalled") expect(node.signal.aborted, node.name).toBe(true);
    expect(heard.includes(`${node.name} marked`), node.name).toBe(kind === "listening");
    expect(heard.includes(`${node.name} ended`), node.name).toBe(kind !== "quiet");
  }
}

test("an end that is cut off anywhere, and once more while it is seen through: all of the family ends and hears of it, or it has not begun", async () => {
  const seen = { begun: 0, notBegun: 0, again: 0 };
  await fc.assert(
    fc.asyncProperty(members, members, fc.nat(60), fc.nat(60), async (drawn, others, after, again) => {
      heard.length = 0;
      const family = familyOf("a", drawn);
      const alike = familyOf("b", others);
      const last = family.all.at(-1) as Noting;
      last.alike = alike.all[0];
      const ending = new Ending(false, "why");
      const top = family.all[0] as Noting;
      const wasCut = isCut(after, () => {
        top.end(ending);
      });
      if (isCut(again, Node.finish)) {
        seen.again++;
        Node.finish();
      }
      if (top.ending === null) {
        seen.notBegun++;
        expect(wasCut).toBe(true);
        expect(heard).toEqual([]);
        for (const node of family.all) expect(node.ending).toBeNull();
      } else {
        if (wasCut) seen.begun++;
        else expect(heard).toEqual([...new Set(heard)]);
        await expectOver(drawn, family, ending);
        if (drawn.at(-1)?.kind !== "quiet") await expectOver(others, alike, ending);
      }
      // Nothing is left of it: the next one ends as ever, and hears once.
      heard.length = 0;
      const next = familyOf("c", drawn);
      next.all[0]?.end(ending);
      await expectOver(drawn, next, ending);
      expect(heard).toEqual(heard.filter((what, i) => what.startsWith("c") && heard.indexOf(what) === i));
    }),
    { numRuns: 1500 },
  );
  expect(seen.begun).toBeGreaterThan(300);
  expect(seen.notBegun).toBeGreaterThan(0);
  expect(seen.again).toBeGreaterThan(100);
});

test("an end that runs out of stack is seen through by the next one", async () => {
  heard.length = 0;
  const drawn: Member[] = Array.from({ length: 5 }, (_, above) => ({ above, kind: "listening" }));
  const [family, next] = [familyOf("a", drawn), familyOf("b", drawn)];
  const ending = new Ending(false, "why");
  const overflow = isCut(6, () => {
    family.all[0]?.end(ending);
  });
  expect([overflow, family.all.at(-1)?.ending]).toEqual([true, null]);
  next.all[0]?.end(ending);
  await expectOver(drawn, family, ending);
  await expectOver(drawn, next, ending);
});
