/** What a thread is told of the end of a task's context. */
import type { Ending } from "../context/ending.js";
import { type Carried, carry } from "../workers/carry.js";
import { CANCELED, CANCELED_WITH_CAUSE, EXPIRED, EXPIRED_WITH_CAUSE } from "../workers/lane.js";
import type { Wake } from "../workers/messages.js";
import { announcedCause } from "./hand-over.js";
import type { Job } from "./job.js";

export class Notices {
  #last: { readonly ending: Ending; readonly cause: Carried | undefined } | undefined;

  /** The word, and the cause that goes with it. The cause is made ready once for all jobs that end together. */
  of(job: Job, ending: Ending): { readonly notice: Wake["notice"]; readonly cause: Carried | undefined } {
    const given = ending.given();
    // The deadline's own was announced with the job.
    if (given === undefined || (ending.expired && given === announcedCause(job)))
      return { notice: ending.expired ? EXPIRED : CANCELED, cause: undefined };
    if (this.#last?.ending !== ending) this.#last = { ending, cause: carry(given) };
    return { notice: ending.expired ? EXPIRED_WITH_CAUSE : CANCELED_WITH_CAUSE, cause: this.#last.cause };
  }
}
