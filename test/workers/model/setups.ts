/** Which lanes are looked at: small ones, since each thing more multiplies the states, and together with everything in them. */
import {
  CANCELED,
  CANCELED_WITH_CAUSE,
  FAILED,
  POSTED,
  REPLIED,
  UNDEFINED,
} from "../../../src/workers/lane.js";
import type { Setup } from "./state.js";

const plain: Setup = {
  places: 1,
  jobs: 1,
  guarded: false,
  watchdog: false,
  deadline: false,
  cancels: [CANCELED, CANCELED_WITH_CAUSE],
  cancelled: "alone",
  tasks: "free",
  ends: [UNDEFINED, POSTED, REPLIED, FAILED],
  promises: true,
  grace: "some",
  crashes: 1,
  exits: false,
  losses: 0,
  isMainBlocked: false,
};
const guarded = { guarded: true } as const;
const two = { places: 2, jobs: 2, cancelled: "either" } as const;
const twoGuarded: Setup = {
  ...plain,
  ...two,
  ...guarded,
  ends: [UNDEFINED],
  promises: false,
  cancels: [CANCELED],
  crashes: 0,
};
/** No limit, and so no help from a hard stop. */
const endless = { grace: "endless", crashes: 0 } as const;
const blocked = { ...endless, deadline: true, isMainBlocked: true } as const;

export const setups = {
  "one task": plain,
  "one task, guarded": { ...plain, ...guarded },
  "one task that exits": { ...plain, exits: true },
  "one task that exits, guarded": { ...plain, ...guarded, exits: true },
  "two in an envelope that exit, guarded": { ...twoGuarded, exits: true },
  "one task with a watchdog that exits": {
    ...plain,
    ...guarded,
    watchdog: true,
    deadline: true,
    ends: [UNDEFINED],
    cancels: [CANCELED],
    exits: true,
  },
  "one task with a deadline": { ...plain, deadline: true },
  "one task with a watchdog": {
    ...plain,
    ...guarded,
    watchdog: true,
    deadline: true,
    ends: [POSTED],
    cancels: [CANCELED],
  },
  "one envelope after the other": { ...plain, jobs: 2, ends: [UNDEFINED, POSTED] },
  "one envelope after the other, guarded": { ...plain, ...guarded, jobs: 2, ends: [POSTED], promises: false },
  "promises in one envelope after the other, guarded": {
    ...plain,
    ...guarded,
    jobs: 2,
    ends: [UNDEFINED],
    cancels: [CANCELED],
  },
  "two in an envelope": { ...plain, ...two, promises: false, ends: [POSTED] },
  "two in an envelope that reply": {
    ...plain,
    ...two,
    promises: false,
    ends: [UNDEFINED, REPLIED],
    cancels: [CANCELED],
  },
  "two in an envelope that return promises": {
    ...plain,
    ...two,
    cancelled: "together",
    ends: [POSTED],
    cancels: [CANCELED_WITH_CAUSE],
    crashes: 0,
  },
  "two in an envelope with a deadline": {
    ...plain,
    ...two,
    deadline: true,
    promises: false,
    ends: [UNDEFINED],
    cancels: [],
  },
  "two in an envelope, guarded": twoGuarded,
  "two in an envelope that return promises, guarded": {
    ...plain,
    ...two,
    ...guarded,
    cancelled: "together",
    ends: [UNDEFINED],
    cancels: [CANCELED],
    crashes: 0,
  },
  "two without any grace": { ...plain, ...two, grace: "none", promises: false, ends: [POSTED] },
  "an envelope of two and one more": {
    ...plain,
    ...two,
    jobs: 3,
    cancelled: "together",
    ends: [POSTED],
    cancels: [CANCELED_WITH_CAUSE],
    promises: false,
    crashes: 0,
  },
  "two that wait for their end": { ...plain, ...two, ...endless, tasks: "waiting" },
  "two that wait for their end, guarded": { ...plain, ...two, ...endless, ...guarded, tasks: "waiting" },
  "two loops": { ...plain, ...two, ...endless, tasks: "polling" },
  "a loop, and main is blocked": { ...plain, ...blocked, tasks: "polling" },
  "a task that waits for its end, and main is blocked": { ...plain, ...blocked, tasks: "waiting" },
  "two that neither look nor return": { ...plain, ...two, tasks: "deaf", losses: 1 },
  "two that neither look nor return, guarded": { ...plain, ...two, ...guarded, tasks: "deaf", losses: 1 },
  "one with a watchdog that neither looks nor returns": {
    ...plain,
    ...guarded,
    watchdog: true,
    deadline: true,
    tasks: "deaf",
    losses: 1,
  },
} as const satisfies Record<string, Setup>;

export type SetupName = keyof typeof setups;
