// @ts-check
/** A picture with 256 colours, chosen by median cut: a third of the bytes, and on a screen hardly a difference. */
import { crc32, deflateSync } from "node:zlib";

/** Colours are told apart by six bits of each channel. */
const BITS = 6;

/** What is added before the colour is looked up, by where the pixel is: it breaks the edges within what is smooth. */
const DITHER = [-3, 1, -2, 2, 3, -1, 2, -2, -2, 2, -3, 1, 2, -2, 3, -1];

/** @typedef {{ readonly at: number, readonly count: number, readonly channels: readonly number[] }} Bucket */

/**
 * @param {number} width
 * @param {number} height
 * @param {Uint8Array} pixels - red, green, blue, alpha, which is left out; they are changed
 * @returns {Buffer} a PNG
 */
export function indexedPng(width, height, pixels) {
  const counts = new Uint32Array(1 << (3 * BITS));
  dither(width, pixels);
  for (let i = 0; i < pixels.length; i += 4) {
    const at = bucketOf(pixels, i);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  const boxes = cut(counts);
  const palette = Buffer.from(boxes.flatMap((box) => [0, 1, 2].map((channel) => meanOf(box, channel))));
  const indices = new Uint8Array(counts.length);
  for (const [index, box] of boxes.entries()) for (const { at } of box) indices[at] = index;
  const rows = Buffer.alloc((width + 1) * height); // before each row stands its filter: none
  for (let i = 0; i < width * height; i++) {
    const y = Math.floor(i / width);
    rows[i + y + 1] = indices[bucketOf(pixels, 4 * i)] ?? 0;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8); // eight bits, of a palette
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("PLTE", palette),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/**
 * @param {number} width
 * @param {Uint8Array} pixels
 */
function dither(width, pixels) {
  for (const [i, value] of pixels.entries()) {
    const pixel = i >> 2;
    const by = DITHER[((Math.floor(pixel / width) & 3) << 2) | ((pixel % width) & 3)] ?? 0;
    // What is nearly black or white is a plain surface, or letters.
    if (value > 24 && value < 232) pixels[i] = value + by;
  }
}

/**
 * @param {Uint8Array} pixels
 * @param {number} i
 */
function bucketOf(pixels, i) {
  let at = 0;
  for (let channel = 0; channel < 3; channel++)
    at = (at << BITS) | ((pixels[i + channel] ?? 0) >> (8 - BITS));
  return at;
}

/**
 * Cuts the box in which the colours lie farthest apart, until there are enough.
 *
 * @param {Uint32Array} counts
 */
function cut(counts) {
  /** @type {Bucket[]} */
  const all = [];
  for (const [at, count] of counts.entries()) {
    const channels = [2, 1, 0].map((place) => (at >> (place * BITS)) & ((1 << BITS) - 1));
    if (count > 0) all.push({ at, count, channels });
  }
  let boxes = [all];
  while (boxes.length < 256) {
    const [widest] = boxes.map((box) => ({ box, ...spreadOf(box) })).sort((a, b) => b.weight - a.weight);
    if (widest === undefined || widest.box.length < 2) break;
    const { box, channel } = widest;
    box.sort((a, b) => (a.channels[channel] ?? 0) - (b.channels[channel] ?? 0));
    const half = Math.ceil(box.length / 2);
    boxes = [...boxes.filter((other) => other !== box), box.slice(0, half), box.slice(half)];
  }
  return boxes;
}

/** @param {readonly Bucket[]} box */
function spreadOf(box) {
  const spreads = [0, 1, 2].map((channel) => {
    const values = box.map(({ channels }) => channels[channel] ?? 0);
    return Math.max(...values) - Math.min(...values);
  });
  const spread = Math.max(...spreads);
  // Colours that are seen a lot are worth more, but not so much that the others are lost.
  const seen = box.reduce((sum, { count }) => sum + count, 0);
  return { channel: spreads.indexOf(spread), weight: spread * Math.sqrt(Math.sqrt(seen)) };
}

/**
 * @param {readonly Bucket[]} box
 * @param {number} channel
 */
function meanOf(box, channel) {
  let sum = 0;
  let seen = 0;
  for (const { channels, count } of box) {
    sum += (channels[channel] ?? 0) * count;
    seen += count;
  }
  return Math.round((sum / seen) * (255 / ((1 << BITS) - 1)));
}

/**
 * @param {string} type
 * @param {Buffer} data
 */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
