/** What the compiler says of an actor's calls. Checked by `npm run typecheck`; never runs. */
import { background, type Context } from "lifeguard";
import { type Actor, contextOf, proxy, spawn } from "lifeguard/comlink";

declare class SearchIndex {
  build(ctx: Context, onProgress: (done: number, total: number) => unknown): { texts: number };
  find(ctx: Context, query: string, most?: number): string[];
}

const index: Actor<SearchIndex> = await spawn<SearchIndex>(background, "/index.mjs", { args: [1] });

const files: string[] = await index.find(background, "word");
const few: string[] = await index.find(background, "word", 3);
const built: { texts: number } = await index.build(
  background,
  proxy((done: number, total: number) => done / total),
);
const ctx: Context = contextOf(index);
await index[Symbol.asyncDispose]();

// @ts-expect-error there is no such method
type Missing = (typeof index)["search"];
// @ts-expect-error a query is a string
await index.find(background, 3);
// @ts-expect-error the context is missing
await index.find("word");
const notOfNumbers = proxy((done: string) => done);
// @ts-expect-error the callback is told numbers
await index.build(background, notOfNumbers);
// @ts-expect-error no actor, as `spawn` returns it
contextOf({});

export { built, ctx, few, files, type Missing };
