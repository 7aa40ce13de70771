// @ts-check
/** The same tasks for workerpool, which wants them registered. */
import workerpool from "workerpool";
import { hold, meet, nothing, nothings, spin, spins } from "./work.mjs";

workerpool.worker({ hold, meet, nothing, nothings, spin, spins });
