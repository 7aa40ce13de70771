// @ts-check
/** The page: puts the view, the tiles and the live picture together, and draws when there is something to draw. */
import { Figures } from "./figures.js";
import { listenToHands, listenToKeys } from "./input.js";
import { Live } from "./live.js";
import { MapPicture } from "./map.js";
import { DETAILS } from "./plane.js";
import { Flight, places as spots } from "./ride.js";
import { Selection } from "./selection.js";
import { currentTheme, isDark, isStill, onTheme } from "./theme.js";
import { Threads } from "./threads.js";
import { Tiles } from "./tiles.js";
import { Times } from "./times.js";
import { Tree } from "./tree.js";
import { View } from "./view.js";
import { byId, duration, write } from "./words.js";

const map = byId("map", HTMLElement);
const canvas = byId("canvas", HTMLCanvasElement);
const toggle = byId("toggle", HTMLButtonElement);
const detail = byId("detail", HTMLSelectElement);
const rideButton = byId("ride", HTMLButtonElement);
const spot = byId("spot", HTMLSelectElement);
const arrived = byId("arrived", HTMLElement);
const says = byId("says", HTMLElement);

const view = new View();
const tiles = new Tiles(isDark(), invalidate);
const picture = new MapPicture(canvas, view, tiles);
const live = new Live(told);
const figures = new Figures();
const threads = new Threads(byId("threads", HTMLElement), live);
const times = new Times(byId("times", HTMLCanvasElement), live);
const selection = new Selection(
  live,
  tiles,
  {
    card: byId("card", HTMLElement),
    title: byId("card-title", HTMLElement),
    text: byId("card-text", HTMLElement),
    cancel: byId("cancel", HTMLButtonElement),
    again: byId("again", HTMLButtonElement),
  },
  say,
);
const tree = new Tree(byId("tree", HTMLElement), live, (kind, ticket) => {
  selection.pickContext(kind, ticket);
  tellTree();
  invalidate();
});
const flight = new Flight(view, moved, rideEnded);

/** @type {readonly import("./view.js").Place[]} */
let places = [];
let isMoved = true;
/** Whether the server was there when we last heard; at first that is taken for granted. */
let wasConnected = true;
/** Since when the view is what it is; infinite: all of it has come, and has been counted. */
let waitingSince = performance.now();
let frame = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let remembering;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let tidying;

/** @param {string} sentence */
function say(sentence) {
  write(says, sentence);
}

function invalidate() {
  if (frame === 0) frame = requestAnimationFrame(draw);
}

function moved() {
  isMoved = true;
  waitingSince = performance.now();
  invalidate();
  clearTimeout(remembering);
  remembering = setTimeout(() => history.replaceState(null, "", view.hash), 300);
}

function draw() {
  frame = 0;
  if (isMoved) {
    isMoved = false;
    places = view.places();
    tiles.show(places);
  }
  picture.picked = selection.key;
  picture.calm = isStill();
  picture.asked = live.asked;
  const more = [picture.draw(places, currentTheme()), threads.draw(), times.draw(isStill())];
  selection.tell();
  count();
  // With less motion the strips move when something is told, and not in between.
  if (more[0] === true || (more.includes(true) && !isStill())) invalidate();
}

/** How much of the view is there. */
function count() {
  const here = tiles.count("here");
  const open = tiles.count("none") + tiles.count("loading");
  const isWhole = open === 0 && !flight.isUnderWay;
  const paused = tiles.pausedUntil - performance.now();
  const waits = paused > 0 ? " · the server is busy" : "";
  write(
    arrived,
    live.isConnected ? `${here} of ${tiles.inView} tiles${waits}` : "no connection to the server",
  );
  Object.assign(map.dataset, { inView: tiles.inView, here, picture: isWhole ? "whole" : "open" });
  if (!isWhole || waitingSince === Number.POSITIVE_INFINITY) return;
  const took = performance.now() - waitingSince;
  waitingSince = Number.POSITIVE_INFINITY;
  // Less than that, and nothing had to be computed.
  if (took < 20) return;
  figures.pictureTook(tiles.cancels, took);
  say(`All ${here} tiles in view are there, ${duration(took)} after the last move.`);
}

/** @param {import("./live.js").Snapshot | undefined} snapshot */
function told(snapshot) {
  if (snapshot !== undefined) {
    threads.tell();
    tellTree();
    figures.tell(snapshot);
    // When all is quiet nothing more is told, and what is over has yet to go.
    clearTimeout(tidying);
    tidying = setTimeout(tellTree, 3500);
  } else if (live.isConnected !== wasConnected) {
    // Once: the browser goes on trying, and fails every few seconds.
    wasConnected = live.isConnected;
    say(wasConnected ? "The server is there again." : "The connection to the server is lost.");
    // When it is there again it tells by itself.
    if (!wasConnected) {
      threads.tell();
      tellTree();
    }
  }
  invalidate();
}

function tellTree() {
  tree.tell(selection.kind, selection.ticket);
}

/** @param {boolean} cancels */
function setCancels(cancels) {
  tiles.cancels = cancels;
  toggle.setAttribute("aria-checked", String(cancels));
  document.documentElement.dataset.cancels = cancels ? "on" : "off";
  say(cancels ? "What leaves the view is cancelled." : "What leaves the view goes on, for nobody.");
}

function renew() {
  waitingSince = performance.now();
  tiles.renew();
}

/** Somebody takes over. */
function halt() {
  flight.stop();
}

/** @param {number} x @param {number} y */
function clicked(x, y) {
  const place = places.find(
    ({ left, top, side }) => x >= left && x < left + side && y >= top && y < top + side,
  );
  const tile = place === undefined ? undefined : tiles.get(place.key);
  if (tile === undefined || tile.key === selection.key) selection.drop();
  else selection.pickTile(tile);
  invalidate();
}

/** From tile to tile, those that are on their way first. @param {number} by */
function pickNext(by) {
  const all = places.flatMap(({ key }) => tiles.get(key) ?? []);
  const open = all.filter(({ status }) => status !== "here");
  const choice = open.length > 0 ? open : all;
  const at = choice.findIndex(({ key }) => key === selection.key);
  const tile = choice.at(at === -1 ? 0 : (at + by) % choice.length);
  if (tile !== undefined) selection.pickTile(tile);
  invalidate();
}

function drop() {
  if (selection.drop()) map.focus();
  invalidate();
}

/** @param {() => void} move */
const moving = (move) => () => {
  halt();
  move();
  moved();
};
const home = moving(() => view.home());
const closer = moving(() => view.zoomAt(0.5));
const farther = moving(() => view.zoomAt(-0.5));

function ride() {
  if (flight.isRide) {
    halt();
    return;
  }
  // Tiles that are there already would be no work: each ride begins with none.
  renew();
  flight.ride();
  tellRide("A ride has begun; Escape stops it.");
}

/** @param {boolean} isThere */
function rideEnded(isThere) {
  tellRide(isThere ? "The ride is over." : "The ride was stopped.");
  // Where it stopped, the picture can become whole.
  invalidate();
}

/** @param {string} sentence */
function tellRide(sentence) {
  rideButton.setAttribute("aria-pressed", String(flight.isRide));
  write(rideButton, flight.isRide ? "Stop the ride" : "Take a ride");
  say(sentence);
}

/** Whatever is nearest to its end. */
function backOut() {
  if (flight.isRide) halt();
  else drop();
}

const flip = () => setCancels(!tiles.cancels);
const again = () => {
  selection.askAgain();
  waitingSince = performance.now();
};
const cancel = () => void selection.cancel();

listenToKeys(
  new Map([
    ["ArrowLeft", moving(() => view.pan(96, 0))],
    ["ArrowRight", moving(() => view.pan(-96, 0))],
    ["ArrowUp", moving(() => view.pan(0, 96))],
    ["ArrowDown", moving(() => view.pan(0, -96))],
    ["+", closer],
    ["=", closer],
    ["-", farther],
    ["0", home],
    ["Home", home],
    ["c", flip],
    ["r", ride],
    ["n", () => pickNext(1)],
    ["p", () => pickNext(-1)],
    ["Delete", cancel],
    ["Backspace", cancel],
    ["a", again],
    ["Escape", backOut],
  ]),
);
listenToHands(map, view, { moved, began: halt, clicked });
for (const [id, act] of Object.entries({ closer, farther, home, ride, toggle: flip, cancel, again, drop })) {
  byId(id, HTMLButtonElement).addEventListener("click", act);
}

detail.append(...DETAILS.map((value) => new Option(`${value} steps`, String(value), value === tiles.detail)));
detail.value = String(tiles.detail);
detail.addEventListener("change", () => {
  tiles.detail = Number(detail.value);
  renew();
});
spot.append(...spots.map(([name], at) => new Option(name, String(at))));
spot.addEventListener("change", () => {
  const to = spots[Number(spot.value)]?.[1];
  if (to === undefined) home();
  else flight.flyTo(to);
  spot.selectedIndex = 0;
});

onTheme(() => {
  tiles.repaint(isDark());
  invalidate();
});
addEventListener("hashchange", () => {
  if (view.follow(location.hash)) moved();
});

tiles.size = devicePixelRatio >= 2 ? 512 : 256;
new ResizeObserver(() => {
  const isFirst = view.width === 0;
  view.resize(map.clientWidth, map.clientHeight);
  if (isFirst && !view.follow(location.hash)) view.home();
  moved();
}).observe(map);
setCancels(true);
say("");
