// @ts-check
import { Pool } from "lifeguard";
import { measureCancellation } from "lifeguard/bench";

const pool = new Pool(new URL("./tasks.mjs", import.meta.url), { threads: 1 });
const report = await measureCancellation(pool, "countPrimes", [0, 1e12], { time: 1000 });
console.log(report.summary.join("\n"));
console.log(report.latency.settled.p99 < 50e6 ? "soon enough" : "too late"); // ns
await pool.close();
