/** What the compiler says of `first`. Checked by `npm run typecheck`; never runs. */
import { background, type Context, first } from "lifeguard/context";

const one: Promise<number> = first(background, [() => 1, async () => 2]);
const either: Promise<number | string> = first(background, [() => 1, async (ctx) => String(ctx.deadline())]);
const mapped: Promise<string> = first(
  background,
  ["a", "b"].map((text) => (_ctx: Context) => Promise.resolve(text)),
);
const fromSet: Promise<boolean> = first(background, new Set([() => true]));
function* list() {
  yield (ctx: Context) => ctx.deadline();
}
const fromGenerator: Promise<number | undefined> = first(background, list());

// @ts-expect-error the result is a number or a string
const number: Promise<number> = first(background, [() => 1, async () => "2"]);
// @ts-expect-error the context is missing
void first([() => 1]);
// @ts-expect-error promises instead of functions: those could not be cancelled
void first(background, [Promise.resolve(1)]);
// @ts-expect-error a function that wants more than a context
void first(background, [(_ctx: Context, _more: number) => 1]);

export { either, fromGenerator, fromSet, mapped, number, one };
