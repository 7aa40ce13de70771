/** Who waits, and who is next. Owns the order; who may wait and for how long is the pool's. */
import { Heap, type HeapItem } from "../context/heap.js";

/** What a queue holds. The links are the queue's own while the item is in. */
export interface Queued<T> extends HeapItem {
  readonly priority: number;
  /** On this thread's monotonic clock, ms; Infinity without one. */
  readonly deadline: number;
  /** Counts up with each push: the tie-breaker. */
  order: number;
  next: T | undefined;
  prev: T | undefined;
}

/** Those of one priority. */
interface Line<T> {
  readonly size: number;
  /** How many would be taken before one that came now, with that deadline. */
  ahead(deadline: number): number;
  push(item: T): void;
  /** Puts an item back that was taken out and could not be begun. */
  putBack(item: T): void;
  peek(): T | undefined;
  remove(item: T): void;
}

/** First in, first out. Every operation is constant work: a list threaded through the items. */
class FifoLine<T extends Queued<T>> implements Line<T> {
  #first: T | undefined;
  #last: T | undefined;
  size = 0;

  ahead(): number {
    return this.size;
  }

  push(item: T): void {
    item.prev = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    item.slot = 0;
    this.size++;
  }

  /** Behind those of the first that came before it: only what was put back can be. */
  putBack(item: T): void {
    let prev: T | undefined;
    let next = this.#first;
    while (next !== undefined && next.order < item.order) {
      prev = next;
      next = next.next;
    }
    item.prev = prev;
    item.next = next;
    if (prev === undefined) this.#first = item;
    else prev.next = item;
    if (next === undefined) this.#last = item;
    else next.prev = item;
    item.slot = 0;
    this.size++;
  }

  peek(): T | undefined {
    return this.#first;
  }

  remove(item: T): void {
    const { next, prev } = item;
    if (prev === undefined) this.#first = next;
    else prev.next = next;
    if (next === undefined) this.#last = prev;
    else next.prev = prev;
    item.next = undefined;
    item.prev = undefined;
    item.slot = -1;
    this.size--;
  }
}

/** The earliest deadline first; those without one last, in the order they came. */
class DeadlineLine<T extends Queued<T>> implements Line<T> {
  readonly #heap = new Heap<T>(
    (a, b) => a.deadline < b.deadline || (a.deadline === b.deadline && a.order < b.order),
  );

  get size(): number {
    return this.#heap.size;
  }
  ahead(deadline: number): number {
    return this.#heap.count((item) => item.deadline <= deadline);
  }
  push(item: T): void {
    this.#heap.push(item);
  }
  putBack(item: T): void {
    this.#heap.push(item);
  }
  peek(): T | undefined {
    return this.#heap.peek();
  }
  remove(item: T): void {
    this.#heap.remove(item);
  }
}

/** The pool's queue: the highest priority first, and within one, in the order of its line. */
export class TaskQueue<T extends Queued<T>> {
  readonly #order: "fifo" | "deadline";
  readonly #lines = new Map<number, Line<T>>();
  /** Priorities with a line, highest first. */
  #priorities: number[] = [];
  #size = 0;
  #pushed = 0;

  constructor(order: "fifo" | "deadline") {
    this.#order = order;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * How many would be taken before one that came now, with that priority and deadline. With the order "deadline" a look at
   * each of its priority.
   */
  ahead(priority: number, deadline: number): number {
    let ahead = 0;
    for (const [each, line] of this.#lines) {
      if (each > priority) ahead += line.size;
      else if (each === priority) ahead += line.ahead(deadline);
    }
    return ahead;
  }

  push(item: T): void {
    item.order = ++this.#pushed;
    this.#line(item.priority).push(item);
    this.#size++;
  }

  /** To the front of its line, where it was next once already. */
  putBack(item: T): void {
    this.#line(item.priority).putBack(item);
    this.#size++;
  }

  peek(): T | undefined {
    for (const priority of this.#priorities) {
      const item = this.#lines.get(priority)?.peek();
      if (item !== undefined) return item;
    }
    return undefined;
  }

  /** Takes an item out, wherever it stands; nothing happens when it is not in. */
  remove(item: T): void {
    const line = this.#lines.get(item.priority);
    if (line === undefined || item.slot < 0) return;
    line.remove(item);
    this.#size--;
    if (line.size > 0 || this.#priorities.length === 1) return;
    // Priorities may be any numbers, so an empty line goes; the last one stays, since what comes next mostly has the same.
    this.#lines.delete(item.priority);
    this.#priorities = this.#priorities.filter((priority) => priority !== item.priority);
  }

  #line(priority: number): Line<T> {
    let line = this.#lines.get(priority);
    if (line === undefined) {
      line = this.#order === "fifo" ? new FifoLine<T>() : new DeadlineLine<T>();
      this.#lines.set(priority, line);
      this.#priorities.push(priority);
      this.#priorities.sort((a, b) => b - a);
    }
    return line;
  }
}
