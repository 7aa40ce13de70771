// @ts-check
/**
 * What may be asked for, and nothing else: how much work a request can cause is settled here, before there is any. The dearest
 * tile, 512 × 512 with detail 8000 and all of it inside the set, is two thousand million steps: some seconds of one thread.
 */
import { DETAILS, MAX_ZOOM, SIZES } from "./page/plane.js";
import { Refusal } from "./refusal.mjs";

/**
 * @typedef {object} Tile
 * @property {number} zoom - there are 2 ** zoom tiles to a side of the plane
 * @property {number} x - from the left
 * @property {number} y - from the top
 * @property {number} size
 * @property {number} detail
 */

/**
 * @typedef {object} Wish
 * @property {Tile} tile
 * @property {string | undefined} ticket - the client's own name for it, by which it can be cancelled
 * @property {boolean} cancels - false: the client's leaving is to change nothing, to see what that is like
 */

const known = new Set(["zoom", "x", "y", "size", "detail", "ticket", "cancel"]);

/**
 * @param {URLSearchParams} params
 * @returns {Wish}
 * @throws Refusal 400
 */
export function wishOf(params) {
  for (const name of params.keys()) {
    if (!known.has(name)) throw new Refusal(400, `there is no parameter "${name.slice(0, 20)}"`);
    if (params.getAll(name).length > 1) throw new Refusal(400, `${name}: given more than once`);
  }
  const zoom = whole(params, "zoom", MAX_ZOOM);
  const last = 2 ** zoom - 1;
  return {
    tile: {
      zoom,
      x: whole(params, "x", last),
      y: whole(params, "y", last),
      size: oneOf(params, "size", SIZES, 256),
      detail: oneOf(params, "detail", DETAILS, 2000),
    },
    ticket: ticketOf(params.get("ticket") ?? undefined),
    cancels: (params.get("cancel") ?? "on") === "on" || off(params.get("cancel")),
  };
}

/**
 * @param {unknown} given
 * @returns {string | undefined}
 * @throws Refusal 400
 */
export function ticketOf(given) {
  if (given === undefined || (typeof given === "string" && /^[\w-]{1,32}$/.test(given))) return given;
  throw new Refusal(400, "ticket: expected 1 to 32 letters, digits, _ or -");
}

/** @param {string | null} given - what is not "on" */
function off(given) {
  if (given !== "off") throw new Refusal(400, 'cancel: expected "on" or "off"');
  return false;
}

/**
 * @param {URLSearchParams} params
 * @param {string} name
 * @param {number} most
 */
function whole(params, name, most) {
  const given = params.get(name) ?? "";
  const value = Number(given);
  // No sign, point, exponent or leading zero: each number has one spelling.
  if (/^(?:0|[1-9]\d{0,15})$/.test(given) && value <= most) return value;
  throw new Refusal(400, `${name}: expected a whole number from 0 to ${most}`);
}

/**
 * @param {URLSearchParams} params
 * @param {string} name
 * @param {readonly number[]} choices
 * @param {number} otherwise
 */
function oneOf(params, name, choices, otherwise) {
  const given = params.get(name);
  if (given === null) return otherwise;
  const value = choices.find((choice) => String(choice) === given);
  if (value !== undefined) return value;
  throw new Refusal(400, `${name}: expected one of ${choices.join(", ")}`);
}
