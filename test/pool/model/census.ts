/** How many objects of a class there are, whoever holds them. */
import * as v8 from "node:v8";

type QueryObjects = (of: unknown, options: { format: "count" }) => number;

const { queryObjects } = v8 as unknown as { queryObjects: QueryObjects };

/** Of the class of `example`, and of those derived from it, after a full collection. The example does not count. */
export function countOf(example: object): number {
  return queryObjects(example.constructor, { format: "count" }) - 1;
}
