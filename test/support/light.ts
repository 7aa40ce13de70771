/** What makes a run for mutants quick enough (stryker.vitest.config.ts): the big tests are left out, the properties are short and always the same. */
import fc from "fast-check";
import { beforeEach } from "vitest";

fc.configureGlobal({ seed: 8 });
process.env.FC_RUNS = "40";

const big = /million|hundred thousand|100,000|leaves nothing on its parent$|in a process of its own/;

beforeEach((test) => {
  const names = [test.task.name, test.task.suite?.name ?? ""];
  if (names.some((name) => big.test(name))) test.skip();
});
