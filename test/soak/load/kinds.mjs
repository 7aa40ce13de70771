// @ts-check
/** The kinds of load, as `--only` takes them. */
export const KINDS = [
  "tasks",
  "short",
  "maps",
  "groups",
  "contexts",
  "order",
  "room",
  "pools",
  "actors",
  "http",
  "blocks",
];
