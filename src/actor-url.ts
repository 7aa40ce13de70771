/** Where the entries of threads lie that are not the pool's own, seen from the top of the package: see entry-url.ts. */
export const actorEntry = new URL("./comlink/actor-gate.cjs", import.meta.url);

/** What a pool's thread loads to make callbacks of the ports that came in their place. */
export const reviverModule = new URL("./comlink/revive.js", import.meta.url).href;
