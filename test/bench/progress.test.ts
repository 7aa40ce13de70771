/** What whoever waits for a measurement sees of it. */
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { TextProgress } from "../../src/bench/progress.js";

/** Progress to a stream that keeps what is written to it. `terminal` is what such a stream has besides. */
function watched(terminal: { isTTY?: boolean; columns?: number }) {
  const stream = Object.assign(new PassThrough({ encoding: "utf8" }), terminal);
  const progress = new TextProgress(stream as unknown as NodeJS.WriteStream);
  let written = "";
  const all = (): string => {
    written += (stream.read() as string | null) ?? "";
    return written;
  };
  return { progress, all };
}

const orders = new RegExp(String.raw`(${"\u001b"}\[\d*[A-Z])`);

/** What a terminal shows of `written`, which is one line. Knows the orders that progress is drawn with, and no others. */
function shown(written: string): string {
  let line = "";
  let at = 0;
  for (const part of written.split(orders)) {
    switch (part) {
      case "\u001b[1G":
        at = 0;
        break;
      case "\u001b[0K":
        line = line.slice(0, at);
        break;
      case "\u001b[2K":
        line = "";
        break;
      default:
        expect(part).toMatch(/^\P{Cc}*$/u);
        line = line.slice(0, at) + part + line.slice(at + part.length);
        at += part.length;
    }
  }
  return line;
}

describe("in a terminal", () => {
  test("there is one line, over which the next one is drawn whole", () => {
    const { progress, all } = watched({ isTTY: true, columns: 80 });
    progress.begin("never polls, thread ended");
    expect(shown(all())).toBe("measuring: never polls, thread ended");
    progress.step(7, 1000);
    expect(shown(all())).toBe("measuring: never polls, thread ended: 7 of 1000");
    progress.begin("awaits");
    expect(shown(all())).toBe("measuring: awaits");
    progress.step(1000, 1000);
    expect(shown(all())).toBe("measuring: awaits: 1000 of 1000");
  });

  test("nothing is left of it at the end, however often that is said", () => {
    const { progress, all } = watched({ isTTY: true, columns: 80 });
    progress.begin("awaits");
    progress.step(7, 1000);
    progress.end();
    expect(shown(all())).toBe("");
    progress.end();
    expect(shown(all())).toBe("");
    expect(all()).not.toContain("\n");
  });

  test("a line ends before the terminal's last column, beyond which it would go on in the next one", () => {
    const narrow = watched({ isTTY: true, columns: 16 });
    narrow.progress.begin("polls tightly");
    expect(shown(narrow.all())).toBe("measuring: poll");
    narrow.progress.step(7, 1000);
    expect(shown(narrow.all())).toBe("measuring: poll");
  });

  test.each([{}, { columns: 0 }])(
    "one that does not know how wide it is is taken for 80 columns: %j",
    (size) => {
      const { progress, all } = watched({ isTTY: true, ...size });
      progress.begin("x".repeat(100));
      expect(shown(all())).toBe(`measuring: ${"x".repeat(68)}`);
    },
  );
});

test("in a pipe there is a line for each part, none for the steps, and no order to a terminal", () => {
  const { progress, all } = watched({});
  progress.begin("polls tightly");
  progress.step(1, 1000);
  progress.step(1000, 1000);
  progress.begin("awaits");
  progress.end();
  expect(all()).toBe("measuring: polls tightly\nmeasuring: awaits\n");
});
