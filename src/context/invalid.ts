/** Bad arguments: one error, one wording, for the whole library. */

/** What a caller handed in, in a few words, for an error message. Never throws, whatever the value does. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.length > 60 ? `${JSON.stringify(value.slice(0, 57))}…` : JSON.stringify(value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return `${String(value)}n`;
    case "boolean":
    case "undefined":
    case "symbol":
      return String(value);
    case "function":
      return "a function";
    default:
      return value === null ? "null" : describeObject(value as object);
  }
}

function describeObject(value: object): string {
  try {
    if (Array.isArray(value)) return `an array of ${String(value.length)}`;
    if (value instanceof Date)
      return Number.isNaN(value.getTime()) ? "an invalid Date" : `the date ${value.toISOString()}`;
    const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
    if (name === "Object") return "a plain object";
    return typeof name === "string" && name !== "" ? `an instance of ${name}` : "an object";
  } catch {
    return "an object";
  }
}

/** What something that was thrown has to say, for a longer message. Never throws. */
export function reasonOf(thrown: unknown): string {
  try {
    const said: unknown = thrown instanceof Error ? thrown.message : undefined;
    return typeof said === "string" ? said : describe(thrown);
  } catch {
    return "an error that cannot be read";
  }
}

/** The error every public function throws, or rejects with, for a bad argument: a TypeError with code "ERR_INVALID_ARG". */
export function invalidArg(
  where: string,
  expected: string,
  got: unknown,
  options?: ErrorOptions,
): TypeError & { code: "ERR_INVALID_ARG" } {
  return invalid(`${where}: expected ${expected}, got ${describe(got)}`, options);
}

/** The same error for what is not a matter of one value. */
export function invalid(message: string, options?: ErrorOptions): TypeError & { code: "ERR_INVALID_ARG" } {
  return Object.assign(new TypeError(message, options), { code: "ERR_INVALID_ARG" as const });
}

/** What structured clone stumbles over in contexts and keys; its text is the error message people see, cut in the middle when long. */
export const contextsCannotBeCloned = (): string =>
  "a context cannot be cloned; for comlink: register() of lifeguard/comlink";
