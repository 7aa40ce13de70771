// @ts-check
/** Fingers, mouse, wheel and keys, as movements of the view. */

/** @typedef {import("./view.js").View} View */

/** Pixels a pointer may move, and it still is a click. */
const STEADY = 6;

/**
 * @typedef {object} Hands
 * @property {() => void} moved - the view has
 * @property {() => void} began - somebody takes over: nothing moves by itself any more
 * @property {(x: number, y: number) => void} clicked - without a drag
 */

/**
 * @param {HTMLElement} map
 * @param {View} view
 * @param {Hands} hands
 */
export function listenToHands(map, view, { moved, began, clicked }) {
  /** @type {Map<number, { x: number, y: number }>} */
  const down = new Map();
  let travelled = 0;

  /** @param {PointerEvent} event */
  const spot = ({ clientX, clientY }) => {
    const { left, top } = map.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };
  const middle = () => {
    const all = [...down.values()];
    const [a = { x: 0, y: 0 }, b = a] = all;
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
  };

  map.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || down.size === 2) return;
    map.setPointerCapture(event.pointerId);
    if (down.size === 0) travelled = 0;
    down.set(event.pointerId, spot(event));
    began();
  });
  map.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (before === undefined) return;
    const old = middle();
    const now = spot(event);
    down.set(event.pointerId, now);
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (travelled < STEADY) return;
    const next = middle();
    view.pan(next.x - old.x, next.y - old.y);
    if (old.apart > 0 && next.apart > 0) view.zoomAt(Math.log2(next.apart / old.apart), next.x, next.y);
    moved();
  });
  for (const type of /** @type {const} */ (["pointerup", "pointercancel"])) {
    map.addEventListener(type, (event) => {
      if (!down.has(event.pointerId)) return;
      const at = spot(event);
      down.delete(event.pointerId);
      if (type === "pointerup" && down.size === 0 && travelled < STEADY) clicked(at.x, at.y);
    });
  }
  map.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      began();
      // Lines and pages, where a wheel counts in those.
      const pixels = event.deltaY * ([1, 33, 400][event.deltaMode] ?? 1);
      const { left, top } = map.getBoundingClientRect();
      const by = Math.min(Math.max(-pixels / 240, -1.5), 1.5);
      view.zoomAt(by, event.clientX - left, event.clientY - top);
      moved();
    },
    { passive: false },
  );
}

/**
 * What a key does, by its name as `event.key` has it; of those with which something is typed or chosen, in a field, nothing.
 *
 * @param {ReadonlyMap<string, () => void>} keys
 */
export function listenToKeys(keys) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { target } = event;
    if (target instanceof HTMLSelectElement || target instanceof HTMLInputElement) return;
    const act = keys.get(event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key);
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}
