// The first file of an actor's thread. CommonJS for the reason that workers/gate.cts has; and since Node refuses an ES module here
// when the process was started with `--input-type`, which threads inherit.
void import("./actor-entry.js");
