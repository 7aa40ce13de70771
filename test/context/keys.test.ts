/** The keys of values: what each is, and where all copies of the library find the ones they share. */
import { expect, test } from "vitest";
import { contextKey, sharedKey } from "../../src/context/index.js";
import { internalKey, isKey } from "../../src/context/keys.js";

test("a key says its name, and whether its values travel to other threads", () => {
  expect(contextKey("name")).toMatchObject({ name: "name", shared: false });
  expect(sharedKey("test.name")).toMatchObject({ name: "test.name", shared: true });
});

test("a key is printed as the call that made it", () => {
  expect(String(contextKey('a "name"'))).toBe(String.raw`contextKey("a \"name\"")`);
  expect(String(sharedKey("test.name"))).toBe('sharedKey("test.name")');
});

test("a key cannot be changed", () => {
  for (const key of [contextKey("name"), sharedKey("test.name")]) expect(Object.isFrozen(key)).toBe(true);
});

test("a key cannot be cloned, and the error says what to do", () => {
  for (const key of [contextKey("name"), sharedKey("test.name")])
    expect(() => structuredClone(key)).toThrow(/cannot be cloned; for comlink: register\(\)/);
});

test("a function is no key, whatever it carries, and neither is what throws when looked at", () => {
  expect(isKey(Object.assign(() => "key", { [Symbol.for("lifeguard.ContextKey")]: true }))).toBe(false);
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  expect(isKey(proxy)).toBe(false);
});

test("a key of the library's own is one by name, stays on its thread, and is nobody else's key of that name", () => {
  const key = internalKey("test.name");
  expect(key).toMatchObject({ name: "test.name", shared: false });
  expect(internalKey("test.name")).toBe(key);
  expect(internalKey("test.other")).not.toBe(key);
  expect(isKey(key)).toBe(true);
  expect(sharedKey("test.name")).not.toBe(key);
});

// Copies of the library in one thread may be of different versions: these names are what they have in common.
test.each([
  ["lifeguard.sharedKeys", sharedKey],
  ["lifeguard.internalKeys", internalKey],
])("copies of the library in a thread find each other's keys under %s", (where, make) => {
  const registry: unknown = Reflect.get(globalThis, Symbol.for(where));
  const key = make("test.copies");
  expect(registry).toBeInstanceOf(Map);
  expect((registry as Map<string, unknown>).get("test.copies")).toBe(key);
});
