// @ts-check
/**
 * The tree of contexts: the server's, below it one for each request, below that the task's. Places are kept: a request that
 * comes takes that of one which is over, so that nothing jumps, and nothing moves away under a finger.
 */
import { duration, percent, tileName, write } from "./words.js";

/** @typedef {import("./live.js").Live} Live */
/** @typedef {import("./live.js").Asked} Asked */
/** @typedef {import("./live.js").Ended} Ended */
/** @typedef {"server" | "request" | "task"} Kind */

/** Places that are always there, and how long one that is over keeps its own when there are more, ms. */
const LEAST = 4;
const LINGER = 3000;

/**
 * @typedef {object} Row
 * @property {string} ticket
 * @property {number} over - since when, as of performance.now(); infinite: it is not
 * @property {HTMLLIElement} item
 * @property {HTMLButtonElement} request
 * @property {HTMLButtonElement} task
 */

export class Tree {
  #root;
  #list;
  #server;
  #live;
  #pick;
  /** @type {Row[]} */
  #rows = [];
  #more;

  /**
   * @param {HTMLElement} root
   * @param {Live} live
   * @param {(kind: Kind, ticket: string) => void} pick
   */
  constructor(root, live, pick) {
    this.#root = root;
    this.#live = live;
    this.#pick = pick;
    this.#server = button("server", () => pick("server", ""));
    this.#list = document.createElement("ul");
    this.#more = document.createElement("li");
    this.#more.className = "more";
    const item = document.createElement("li");
    item.append(this.#server, this.#list);
    root.append(item);
    for (let i = 0; i < LEAST; i++) this.#add();
    root.addEventListener("keydown", (event) => this.#walk(event));
  }

  /**
   * @param {Kind | undefined} kind - what is selected
   * @param {string} ticket
   */
  tell(kind, ticket) {
    const { latest, asked, ended, isConnected } = this.#live;
    if (latest === undefined) return;
    const now = performance.now();
    for (const row of this.#rows) {
      if (row.ticket === "" || asked.has(row.ticket) || row.over < now) continue;
      row.over = now;
      const end = ended.findLast((each) => each.ticket === row.ticket);
      if (end !== undefined) showEnd(row, end);
      else showLost(row);
      row.item.className = "over";
    }
    for (const each of asked.values()) {
      const row = this.#rows.find((one) => one.ticket === each.ticket) ?? this.#place(kind, ticket);
      row.ticket = each.ticket;
      row.over = Number.POSITIVE_INFINITY;
      show(row, each, latest.now);
    }
    this.#trim(now, ticket);
    const { queued, running } = latest.pool;
    write(
      this.#server,
      isConnected
        ? `server · ${asked.size + latest.more} requests, ${running} running, ${queued} queued`
        : "server · no connection",
    );
    write(this.#more, latest.more === 0 || !isConnected ? "" : `and ${latest.more} more that wait`);
    this.#list.append(this.#more);
    press(this.#server, kind === "server");
    for (const row of this.#rows) {
      const isPicked = row.ticket === ticket && ticket !== "";
      press(row.request, isPicked && kind === "request");
      press(row.task, isPicked && kind === "task");
    }
  }

  /**
   * A place that is free: of those that are over, the one that is so the longest.
   *
   * @param {Kind | undefined} kind
   * @param {string} ticket
   */
  #place(kind, ticket) {
    const free = this.#rows
      .filter(
        (row) => row.over < Number.POSITIVE_INFINITY && !this.#isHeld(row, kind === undefined ? "" : ticket),
      )
      .sort((a, b) => a.over - b.over);
    return free[0] ?? this.#add();
  }

  /** Whoever has selected it, or is about to, does not want it to become another. @param {Row} row @param {string} ticket */
  #isHeld({ item, ticket: own }, ticket) {
    return (own !== "" && own === ticket) || item.contains(document.activeElement);
  }

  /**
   * @param {number} now
   * @param {string} ticket
   */
  #trim(now, ticket) {
    for (let last = this.#rows.at(-1); last !== undefined; last = this.#rows.at(-1)) {
      if (this.#rows.length <= LEAST || now - last.over < LINGER || this.#isHeld(last, ticket)) return;
      last.item.remove();
      this.#rows.pop();
    }
  }

  #add() {
    const item = document.createElement("li");
    /** @type {Row} */
    const row = {
      ticket: "",
      over: 0,
      item,
      request: button("request", () => this.#pick("request", row.ticket)),
      task: button("task", () => this.#pick("task", row.ticket)),
    };
    item.className = "empty";
    const below = document.createElement("ul");
    const inner = document.createElement("li");
    inner.append(row.task);
    below.append(inner);
    item.append(row.request, below);
    this.#list.append(item);
    this.#rows.push(row);
    return row;
  }

  /** Up and Down go from one to the next. @param {KeyboardEvent} event */
  #walk(event) {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0) return;
    const buttons = [...this.#root.querySelectorAll("button")].filter((each) => each.offsetParent !== null);
    const at = buttons.findIndex((each) => each.matches(":focus"));
    buttons[at + step]?.focus();
    event.preventDefault();
    event.stopPropagation();
  }
}

/**
 * @param {Row} row
 * @param {Asked} asked
 * @param {number} now
 */
function show({ item, request, task }, { at, state, thread, progress, unwanted, asked, cancels }, now) {
  item.className = unwanted === null ? state : "wasted";
  const whose = unwanted === null ? duration(now - asked) : `left ${duration(now - unwanted)} ago`;
  write(request, `tile ${tileName(at)} · ${whose}${cancels ? "" : " · cancellation off"}`);
  write(task, state === "queued" ? "task · waits" : `task · thread ${thread ?? "?"} · ${percent(progress)}`);
  task.style.setProperty("--share", String(progress));
}

/**
 * @param {Row} row
 * @param {Ended} ended
 */
function showEnd({ request, task }, { at, why, unwanted, to, outcome }) {
  write(request, `tile ${tileName(at)} · ${why ?? "answered"}`);
  const late = unwanted === null ? "" : ` after ${duration(to - unwanted)}`;
  write(task, `task · ${outcome ?? "refused"}${late}`);
  task.style.setProperty("--share", "0");
}

/** Nobody has told how it ended: the connection was lost. @param {Row} row */
function showLost({ task }) {
  write(task, "task · unknown");
  task.style.setProperty("--share", "0");
}

/**
 * @param {Kind} kind
 * @param {() => void} pick
 */
function button(kind, pick) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = kind;
  element.addEventListener("click", pick);
  element.setAttribute("aria-pressed", "false");
  return element;
}

/** @param {HTMLButtonElement} element @param {boolean} isPressed */
function press(element, isPressed) {
  const text = String(isPressed);
  if (element.getAttribute("aria-pressed") !== text) element.setAttribute("aria-pressed", text);
}
