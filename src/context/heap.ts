/** A binary heap whose items know their place, so that any of them can be taken out again. */

/** What a heap holds: `slot` is the heap's own, -1 while the item is in none. */
export interface HeapItem {
  slot: number;
}

/**
 * The least item first, by `before`. Inserting late items and removing random ones take constant time on average,
 * the worst case is logarithmic. An item is in one heap at a time.
 *
 * Wherever V8 may end the execution, at the head of a function and of each round of a loop, all items are in: only their
 * order may be wrong then, which `repair` mends.
 */
export class Heap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  /** How many items are such; looks at each. */
  count(isSuch: (item: T) => boolean): number {
    let count = 0;
    for (const item of this.#items) if (isSuch(item)) count++;
    return count;
  }

  push(item: T): void {
    const items = this.#items;
    item.slot = items.push(item) - 1;
    this.#up(item.slot, item);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes `item` out; nothing happens when it is not in. */
  remove(item: T): void {
    const { slot } = item;
    if (slot < 0) return;
    item.slot = -1;
    const items = this.#items;
    const last = items.pop() as T;
    if (last === item) return;
    items[slot] = last;
    last.slot = slot;
    if (slot > 0 && this.#before(last, items[(slot - 1) >> 1] as T)) this.#up(slot, last);
    else this.#down(slot, last);
  }

  #up(from: number, item: T): void {
    const items = this.#items;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above] as T;
      if (!this.#before(item, parent)) break;
      items[at] = parent;
      parent.slot = at;
      at = above;
      items[at] = item;
      item.slot = at;
    }
  }

  #down(from: number, item: T): void {
    const items = this.#items;
    const { length } = items;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= length) break;
      if (below + 1 < length && this.#before(items[below + 1] as T, items[below] as T)) below++;
      const child = items[below] as T;
      if (!this.#before(child, item)) break;
      items[at] = child;
      child.slot = at;
      at = below;
      items[at] = item;
      item.slot = at;
    }
  }

  /** Puts them in order again, after execution has been ended somewhere in here. Linear. */
  repair(): void {
    const items = this.#items;
    for (const [at, item] of items.entries()) item.slot = at;
    for (let at = (items.length >> 1) - 1; at >= 0; at--) this.#down(at, items[at] as T);
  }
}
