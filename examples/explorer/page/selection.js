// @ts-check
/** What is picked: a tile on the map, or a context in the tree; the card that tells about it, and what can be done with it. */
import { duration, percent, tileName, write } from "./words.js";

/** @typedef {import("./live.js").Live} Live */
/** @typedef {import("./tiles.js").Tiles} Tiles */
/** @typedef {import("./tiles.js").Tile} Tile */
/** @typedef {import("./tree.js").Kind} Kind */

/**
 * @typedef {object} Parts
 * @property {HTMLElement} card
 * @property {HTMLElement} title
 * @property {HTMLElement} text
 * @property {HTMLButtonElement} cancel
 * @property {HTMLButtonElement} again
 */

export class Selection {
  #live;
  #tiles;
  #parts;
  #say;

  /** @type {Kind | undefined} */
  kind;
  ticket = "";
  /** Of the tile; empty when it is none of this page's. */
  key = "";
  /** Whether the card has the focus because what had it cannot be used. */
  #holdsFocus = false;

  /**
   * @param {Live} live
   * @param {Tiles} tiles
   * @param {Parts} parts
   * @param {(sentence: string) => void} say
   */
  constructor(live, tiles, parts, say) {
    this.#live = live;
    this.#tiles = tiles;
    this.#parts = parts;
    this.#say = say;
  }

  /** @param {Tile} tile */
  pickTile(tile) {
    this.kind = "request";
    this.ticket = tile.ticket;
    this.key = tile.key;
    this.tell();
    this.#say(`Picked ${this.#parts.title.textContent}, ${this.#parts.text.textContent}.`);
  }

  /** @param {Kind} kind @param {string} ticket */
  pickContext(kind, ticket) {
    this.kind = kind;
    this.ticket = ticket;
    this.key = this.#tiles.ofTicket(ticket)?.key ?? "";
    this.tell();
  }

  drop() {
    const had = this.#parts.card.contains(document.activeElement);
    this.kind = undefined;
    this.ticket = "";
    this.key = "";
    this.tell();
    return had;
  }

  /** Brings the card up to date. */
  tell() {
    const { card, cancel, again } = this.#parts;
    const had = [cancel, again].some((each) => each === document.activeElement);
    this.#tell();
    if (card.hidden) return;
    this.#holdsFocus &&= card === document.activeElement;
    if (!had && !this.#holdsFocus) return;
    // A button that goes takes the focus with it, out of the card: it passes to the one that takes its place, once that is there.
    const next = [again, cancel].find((each) => !each.hidden && !each.disabled);
    if (next === document.activeElement) return;
    (next ?? card).focus();
    this.#holdsFocus = next === undefined;
  }

  #tell() {
    const { card, title, text, cancel, again } = this.#parts;
    card.hidden = this.kind === undefined;
    if (this.kind === undefined) return;
    const tile = this.#tiles.get(this.key);
    // Asked for anew it has another ticket.
    if (tile?.status === "loading") this.ticket = tile.ticket;
    const asked = this.#live.asked.get(this.ticket);
    cancel.disabled = asked === undefined || (asked.unwanted !== null && asked.cancels);
    again.hidden = tile?.status !== "cancelled" && tile?.status !== "failed";
    cancel.hidden = this.kind === "server" || !again.hidden;
    if (this.kind === "server") {
      const { latest } = this.#live;
      write(title, "The server's context");
      const tiles = `${latest?.totals.submitted ?? 0} tiles so far`;
      write(text, this.#live.isConnected ? `all requests lie below it; ${tiles}` : "no connection to it");
      return;
    }
    const ended = this.#live.ended.findLast(({ ticket }) => ticket === this.ticket);
    const at = asked?.at ?? ended?.at ?? (tile === undefined ? undefined : [tile.zoom, tile.x, tile.y]);
    const what = this.kind === "task" ? "Task of tile" : "Tile";
    write(
      title,
      at === undefined ? what : `${what} ${tileName(/** @type {[number, number, number]} */ (at))}`,
    );
    write(text, this.#stateOf(tile, asked, ended));
  }

  /**
   * @param {Tile | undefined} tile
   * @param {import("./live.js").Asked | undefined} asked
   * @param {import("./live.js").Ended | undefined} ended
   */
  #stateOf(tile, asked, ended) {
    if (asked !== undefined) {
      const whose = asked.unwanted === null ? "" : ", for nobody";
      if (asked.thread === null) return `waits for a thread${whose}`;
      return `${asked.state} on thread ${asked.thread}${whose}, ${percent(asked.progress)}`;
    }
    if (ended?.unwanted) {
      const late = duration(ended.to - ended.unwanted);
      return `${ended.why ?? "left"}: ${ended.outcome ?? "refused"} ${late} later`;
    }
    if (tile?.status === "failed") return `failed: ${tile.why}`;
    if (ended !== undefined && ended.from !== null)
      return `${ended.outcome} in ${duration(ended.to - ended.from)}`;
    return tile?.status === "here" ? "is there" : "is not asked for yet";
  }

  /** Ends its context, on the server. */
  async cancel() {
    if (this.kind === undefined || this.kind === "server" || !this.#live.asked.has(this.ticket)) return;
    const body = JSON.stringify({ ticket: this.ticket, what: this.kind });
    const headers = { "Content-Type": "application/json" };
    try {
      const response = await fetch("./cancel", { method: "POST", headers, body });
      this.#say(response.ok ? "Cancelled by hand." : "It was over already.");
    } catch {
      this.#say("The server does not answer.");
    }
  }

  askAgain() {
    const tile = this.#tiles.get(this.key);
    if (tile === undefined) return;
    this.#tiles.askAgain(tile);
    this.tell();
  }
}
