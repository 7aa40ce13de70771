/** What the compiler says of contexts over comlink. Checked by `npm run typecheck`; never runs. */
import type { MessagePort as NodePort, Worker as NodeWorker } from "node:worker_threads";
import type { Remote } from "comlink";
import * as Comlink from "comlink";
import { background, type Context, type Pool } from "lifeguard";
import { type Actor, contextOf, expose, type Proxied, proxy, register, spawn, wrap } from "lifeguard/comlink";

interface Renderer {
  render(ctx: Context, width: number): Uint8Array;
  name: string;
}

class SearchIndex {
  search(_ctx: Context, _term: string): string[] {
    return [];
  }
}

declare const worker: NodeWorker;
declare const port: NodePort;

// Any endpoint, typed as comlink's own.
const remote: Remote<Renderer> = wrap<Renderer>(worker);
const overPort: Remote<Renderer> = wrap<Renderer>(port, { grace: 0, comlink: Comlink });
const pixels: Promise<Uint8Array> = remote.render(background, 5);
const name: Promise<string> = remote.name;
expose({}, port, { allowedOrigins: ["https://example.org"] });
register();
register(Comlink, { sharedMemory: false });

// @ts-expect-error: the context is missing
void remote.render(5);
// @ts-expect-error: no such method
export type Paint = Remote<Renderer>["paint"];
// @ts-expect-error: not an endpoint
wrap<Renderer>({});

// Actors.
const index: Promise<Actor<SearchIndex>> = spawn<SearchIndex>(background, new URL("file:///index.js"), {
  args: [["a"]],
});
export async function useActor(): Promise<string[]> {
  await using actor = await index;
  const ctx: Context = contextOf(actor);
  // @ts-expect-error: a wrong argument
  void actor.search(ctx, 5);
  return await actor.search(ctx, "term");
}
export async function useClass(): Promise<string[]> {
  await using Index = await spawn<typeof SearchIndex>(background, "/index.js");
  const made = await new Index();
  return await made.search(background, "term");
}
// @ts-expect-error: the context goes first
void spawn<SearchIndex>("/index.js");

// Callbacks: the task has a function that returns a promise, whatever this one returns.
interface Tasks {
  index(ctx: Context, files: string[], onDone: (done: number) => Promise<void>): number;
  loosely(ctx: Context, onDone: (done: number) => void): number;
  object(ctx: Context, calculator: Proxied<{ add(a: number, b: number): number }>): Promise<number>;
}
declare const pool: Pool<Tasks>;
void pool.run(
  background,
  "index",
  ["a"],
  proxy((done: number) => {
    console.log(done);
  }),
);
void pool.run(
  background,
  "loosely",
  proxy(async (done: number) => {
    await Promise.resolve(done);
  }),
);
void pool.run(background, "object", proxy({ add: (a: number, b: number) => a + b }));
const square: (n: number) => Promise<number> = proxy((n: number) => n * n);
void pool.run(
  background,
  "index",
  ["a"],
  // @ts-expect-error: not such a function
  proxy((text: string) => {
    console.log(text);
  }),
);
// @ts-expect-error: neither a function nor an object
proxy(5);

export { name, overPort, pixels, square };
