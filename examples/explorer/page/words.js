// @ts-check
/** How things are said. */

/** @param {number | null | undefined} ms */
export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  if (ms < 1000) return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/** @param {number} share */
export function percent(share) {
  return `${Math.floor(share * 100)} %`;
}

/** @param {readonly [zoom: number, x: number, y: number]} at */
export function tileName([zoom, x, y]) {
  return `${zoom}/${x}/${y}`;
}

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`there is no ${kind.name} #${id}`);
  return element;
}

/** Writes only what is new: otherwise screen readers, and whoever selects text, are disturbed. @param {Element} element @param {string} text */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {HTMLCanvasElement} canvas @returns {{ pen: CanvasRenderingContext2D, width: number, height: number }} in CSS pixels, empty */
export function sheet(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const [wide, high] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  const pen = canvas.getContext("2d");
  if (pen === null) throw new Error("there is no 2d context");
  pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}
