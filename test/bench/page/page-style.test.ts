import { describe, expect, test } from "vitest";
import { colorsFor } from "../../../src/bench/page/page-style.js";

const [light, dark] = colorsFor(":root").split("@media (prefers-color-scheme: dark)") as [string, string];

function colorsIn(style: string): Record<string, string> {
  return Object.fromEntries(
    [...style.matchAll(/--([\w-]+): (#[\da-f]+);/g)].map(([, name, color]) => [name!, color!]),
  );
}

/** WCAG's contrast ratio, 1 to 21. */
function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

function luminance(color: string): number {
  const digits = color.length === 4 ? color.replace(/[\da-f]/g, "$&$&") : color;
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(digits.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

describe.each([
  ["light", colorsIn(light)],
  ["dark", colorsIn(dark)],
])("%s", (_, colors) => {
  test("text stands out from what is behind it", () => {
    for (const text of ["fg", "muted", "link"])
      expect(contrast(colors[text]!, colors.bg!), text).toBeGreaterThanOrEqual(4.5);
    expect(contrast(colors.fg!, colors.notice!)).toBeGreaterThanOrEqual(4.5);
  });

  test("lines and bars can be made out", () => {
    for (const line of ["cancel", "seen", "stopped", "settled", "next", "bare", "axis", "notice-rule"])
      expect(contrast(colors[line]!, colors.bg!), line).toBeGreaterThanOrEqual(3);
  });
});
