// @ts-check
// Types at work: floating promises, exhaustive switches, and who may import whom. Style and the rest is Biome's.
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/**
 * One room's imports. Rooms are flat folders, so that "./" is always the room itself.
 *
 * @param {string} files
 * @param {string} allowed - how each specifier has to begin, as a regular expression
 * @param {string} message
 * @returns {import("eslint").Linter.Config}
 */
const room = (files, allowed, message) => {
  const elsewhere = `Literal:not([value=/^(?:${allowed.replaceAll("/", "\\u002f")})/])`;
  return {
    files: [files],
    rules: {
      "no-restricted-imports": ["error", { patterns: [{ regex: `^(?!${allowed})`, message }] }],
      // `import()`, of values and of types, is not seen by the rule above.
      "no-restricted-syntax": [
        "error",
        { selector: `ImportExpression > ${elsewhere}`, message },
        { selector: `TSImportType > ${elsewhere}`, message },
      ],
    },
  };
};

export default defineConfig(
  globalIgnores(["dist", "coverage"]),
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      // A new message or state must be handled everywhere; `default: x satisfies never` counts as handled.
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Numbers read well in a template; everything else that is no string still needs a decision.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // A cause may be anything, and so may what a user's function throws: it is passed on as it is.
      "@typescript-eslint/only-throw-error": ["error", { allowThrowingUnknown: true, allowRethrowing: true }],
      "@typescript-eslint/prefer-promise-reject-errors": ["error", { allowThrowingUnknown: true }],
      // `() => cancel()` is no mistake.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // `while (true)` says it plainly.
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      // Biome's noUnusedVariables and noUnusedImports: those know `using _ = cancel`.
      "@typescript-eslint/no-unused-vars": "off",
    },
  },

  // context ← workers ← pool ← bench, adapters and index.ts
  room("src/context/**", "\\./", "The context room imports nothing from outside it, types included."),
  room(
    "src/workers/**",
    "\\./|\\.\\./context/|node:",
    "The workers room imports from itself, the context room and Node.",
  ),
  room(
    "src/pool/**",
    "\\./|\\.\\./(?:(?:context|workers)/|entry-url)|node:|piscina$",
    "The pool room imports from itself, the context and workers rooms, piscina and Node.",
  ),

  room(
    "src/bench/**",
    "\\./|\\.\\./(?:\\.\\./)?(?:context|workers|pool)/|\\.\\./(?:bench-urls|format|report)|node:|echarts/",
    "The bench room imports from itself, the context, workers and pool rooms, Node and, for the page, ECharts.",
  ),

  room(
    "src/http/**",
    "\\./|\\.\\./(?:context|workers|pool)/|node:",
    "The http room imports from itself, the context, workers and pool rooms and Node.",
  ),

  room(
    "src/comlink/**",
    "\\./|\\.\\./(?:context|workers|pool)/|\\.\\./actor-url|node:|comlink$",
    "The comlink room imports from itself, the context, workers and pool rooms, comlink and Node.",
  ),

  {
    files: ["test/**", "bench/**", "examples/**"],
    rules: {
      // Tests throw null, strings and worse, because tasks do.
      "@typescript-eslint/only-throw-error": "off",
      "@typescript-eslint/prefer-promise-reject-errors": "off",
      // Here a wrong `!` fails the test, which is its purpose.
      "@typescript-eslint/no-non-null-assertion": "off",
      // A task or a hook is async because of its contract, whether it awaits or not.
      "@typescript-eslint/require-await": "off",
      // `String(ctx)` is under test, and labels of odd inputs may read oddly.
      "@typescript-eslint/no-base-to-string": "off",
      // `expect(task.cancel)` and the like look at methods without calling them.
      "@typescript-eslint/unbound-method": "off",
    },
  },
  {
    // What speaks to the other pools, which are installed only where somebody compares: without them their types are
    // not there. Its types are checked by `npm run check` in bench/compare.
    files: ["bench/compare/pools/*.mjs", "bench/compare/tasks/*.mjs"],
    extends: [tseslint.configs.disableTypeChecked],
  },
  {
    // There `/** @type */` says what `workerData` and the like are, which the rule does not see.
    files: ["bench/**/*.mjs", "examples/**/*.{js,mjs}", "scripts/*.mjs"],
    rules: { "@typescript-eslint/no-unsafe-assignment": "off" },
  },
  {
    // Task modules in plain JavaScript, where most parameters have no type.
    files: ["test/**/*.{js,mjs,cjs}"],
    extends: [tseslint.configs.disableTypeChecked],
  },
);
