/** HTML from templates, in which every value is text unless it is markup already. */

/** Text that is HTML: made by `html`, or by `trusted` from what a library has escaped. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes. Nothing is written for `undefined`. */
type Part = Markup | string | number | undefined | readonly Part[];

/** Markup with the values put in, escaped. It is well-formed XML too if its literal parts are: write `<br />`. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(literals.reduce((text, literal, i) => text + textOf(parts[i - 1]) + literal));
}

/** Takes `text` for markup as it is. Never for what comes from a report. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

/** For text, and for attributes in double quotes. */
export function escaped(text: string): string {
  return plain(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** On one line, and without what no XML may contain, even escaped: control characters and halves of a pair. */
export function plain(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, "\uFFFD");
}

function textOf(part: Part): string {
  if (part === undefined) return "";
  if (part instanceof Markup) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  return escaped(String(part));
}
