// @ts-check
/** A process of its own for one suite: what one suite leaves in the heap and in V8's feedback slows no other one. */
import { Report } from "./report.mjs";
import { stopSampling } from "./sampling.mjs";

const [name = ""] = process.argv.slice(2);
// Ctrl-C goes to every process of the terminal; the runner says here what it means.
process.on("SIGINT", () => {});
process.on("message", stopSampling);
// The runner has gone.
const leave = () => process.exit(1);
process.on("disconnect", leave);
process.channel?.unref();

/** @type {unknown} */
const suite = await import(`../${name}.mjs`);
await /** @type {{ run: (report: Report) => Promise<void> }} */ (suite).run(
  new Report(name, (message) => {
    process.send?.(message);
  }),
);
process.off("disconnect", leave);
process.disconnect();
