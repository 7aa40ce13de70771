// @ts-check
/** A request that is answered with a status and one sentence, rather than with what it asked for. */
export class Refusal extends Error {
  /**
   * @param {400 | 404 | 405 | 409 | 413 | 415 | 503} status
   * @param {string} sentence
   */
  constructor(status, sentence) {
    super(sentence);
    this.name = "Refusal";
    this.status = status;
  }
}
