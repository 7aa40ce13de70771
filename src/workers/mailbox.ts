/**
 * What the main thread posts on the thread's own port: causes that wake tasks, and letters, the arguments of tasks that share an
 * envelope. Both may have to be there in the middle of synchronous code, where no event brings them.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Letter, Posted, Wake } from "./messages.js";

export class Mailbox {
  readonly port: MessagePort;
  /** Of the envelope that the thread is at, or that is about to come, by place. */
  readonly #letters = new Map<number, Letter>();

  constructor(port: MessagePort) {
    this.port = port;
  }

  /** What an event has brought; a wake is for the caller to hand on. */
  sort(message: Posted): Wake | undefined {
    if (message.type === "wake") return message;
    this.#letters.set(message.place, message);
    return undefined;
  }

  /** The letter to the task of this epoch, at this place. It was posted before the envelope. */
  letter(epoch: number, place: number): Letter | undefined {
    for (;;) {
      const letter = this.#letters.get(place);
      if (letter?.epoch === epoch) return letter;
      const got = receiveMessageOnPort(this.port);
      if (got === undefined) return undefined;
      // A wake for an earlier task: there can be none yet for the one that asks.
      this.sort(got.message as Posted);
    }
  }

  /** Takes in what is there: letters to tasks of the envelope that has come. */
  fetch(): void {
    for (let got = receiveMessageOnPort(this.port); got !== undefined; got = receiveMessageOnPort(this.port))
      this.sort(got.message as Posted);
  }

  /** The wake for the task of this epoch, at this place, if it is there. */
  wake(epoch: number, place: number): Wake | undefined {
    for (
      let got = receiveMessageOnPort(this.port);
      got !== undefined;
      got = receiveMessageOnPort(this.port)
    ) {
      const wake = this.sort(got.message as Posted);
      if (wake?.epoch === epoch && wake.place === place) return wake;
    }
    return undefined;
  }

  /** The envelope has been worked through: letters to those of it that were not run are nobody's. */
  clear(): void {
    this.#letters.clear();
  }
}
