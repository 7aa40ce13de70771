// @ts-check
/** The threads: what each is doing, and, as a strip that moves to the left, what it did for the last seconds, and for whom. */
import { currentTheme } from "./theme.js";
import { percent, sheet, tileName, write } from "./words.js";

/** @typedef {import("./live.js").Live} Live */
/** @typedef {import("./live.js").Asked} Asked */

/** What a strip shows, ms. */
const SPAN = 8000;

/**
 * @typedef {object} Lane
 * @property {number | undefined} id - of the thread; undefined: it has not computed anything yet
 * @property {HTMLLIElement} item
 * @property {HTMLElement} doing
 * @property {HTMLElement} name
 * @property {HTMLCanvasElement} strip
 */

export class Threads {
  #list;
  #live;
  /** @type {Lane[]} */
  #lanes = [];

  /**
   * @param {HTMLElement} list
   * @param {Live} live
   */
  constructor(list, live) {
    this.#list = list;
    this.#live = live;
  }

  /** What each is doing, in words. */
  tell() {
    const { latest, asked, isConnected } = this.#live;
    if (latest === undefined) return;
    while (this.#lanes.length < latest.pool.threads) this.#add();
    const busy = [...asked.values()].filter(({ thread }) => thread !== null);
    this.#assign(busy, latest.pool.threads);
    for (const lane of this.#lanes) {
      const task = busy.find(({ thread }) => thread === lane.id);
      write(lane.doing, !isConnected ? "unknown" : task === undefined ? "idle" : doing(task));
      lane.doing.classList.toggle("wasted", task !== undefined && task.unwanted !== null);
    }
  }

  /** @returns {boolean} whether it has to be drawn again */
  draw() {
    const theme = currentTheme();
    const now = this.#live.shownAt;
    for (const { id, strip } of this.#lanes) {
      const { pen, width, height } = sheet(strip);
      pen.fillStyle = theme.line;
      pen.fillRect(0, height - 1, width, 1);
      if (id === undefined) continue;
      /** @param {number} time */
      const at = (time) => width * Math.min(1, 1 + (time - now) / SPAN);
      /** @param {number} from @param {number} to @param {number | null} unwanted */
      const block = (from, to, unwanted) => {
        const left = at(from);
        const right = Math.max(at(to), left + 1.5);
        const middle = unwanted === null ? right : Math.min(Math.max(at(unwanted), left), right);
        if (right < 0) return;
        pen.fillStyle = theme.wanted;
        // A gap between neighbours: so many tiles, not one long one.
        pen.fillRect(left, 2, Math.max(middle - left - 0.75, 1), height - 5);
        if (right - middle < 1.5) return;
        pen.fillStyle = theme.nobody;
        pen.fillRect(middle, 2, right - middle - 0.75, height - 5);
      };
      for (const { thread, from, to, unwanted } of this.#live.ended)
        if (thread === id && from !== null) block(from, to, unwanted);
      for (const { thread, began, unwanted } of this.#live.asked.values())
        if (thread === id && began !== null) block(began, now, unwanted);
    }
    return this.#live.isLively(SPAN + 500);
  }

  /**
   * Gives each thread a lane. There may have been more threads than lanes: one that is stopped is replaced. Those that computed last
   * are the ones there are.
   *
   * @param {readonly Asked[]} busy
   * @param {number} count
   */
  #assign(busy, count) {
    /** When each was last at work. @type {Map<number, number>} */
    const last = new Map();
    for (const { thread, to } of this.#live.ended) if (thread !== null) last.set(thread, to);
    for (const { thread } of busy) if (thread !== null) last.set(thread, Number.POSITIVE_INFINITY);
    const ids = [...last]
      .sort(([, a], [, b]) => (a < b ? 1 : -1))
      .slice(0, count)
      .map(([id]) => id);
    const fresh = ids.filter((id) => !this.#lanes.some((lane) => lane.id === id));
    if (fresh.length === 0) return;
    for (const id of fresh) {
      const lane = this.#lanes.find((each) => each.id === undefined || !ids.includes(each.id));
      if (lane === undefined) break;
      lane.id = id;
      write(lane.name, `Thread ${id}`);
    }
    this.#lanes.sort((a, b) => (a.id ?? Number.POSITIVE_INFINITY) - (b.id ?? Number.POSITIVE_INFINITY));
    this.#list.append(...this.#lanes.map(({ item }) => item));
  }

  #add() {
    const item = document.createElement("li");
    const name = document.createElement("span");
    const doing = document.createElement("span");
    const strip = document.createElement("canvas");
    name.className = "name";
    doing.className = "doing";
    strip.setAttribute("aria-hidden", "true");
    write(name, "Thread");
    write(doing, "idle");
    item.append(name, doing, strip);
    this.#list.append(item);
    this.#lanes.push({ id: undefined, item, name, doing, strip });
  }
}

/** @param {Asked} task */
function doing({ at, progress, unwanted }) {
  return `tile ${tileName(at)}${unwanted === null ? "" : ", for nobody"} · ${percent(progress)}`;
}
