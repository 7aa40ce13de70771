// @ts-check
/** The colours of the style sheet, for what is drawn on a canvas; and what the reader's system wants. */

/** @typedef {ReturnType<typeof read>} Theme */

const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

function read() {
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: color("text"),
    faint: color("faint"),
    line: color("line"),
    card: color("card"),
    wanted: color("wanted"),
    nobody: color("nobody"),
    picked: color("picked"),
    veil: color("veil"),
    grid: color("grid"),
    track: color("track"),
  };
}

let theme = read();

export function currentTheme() {
  return theme;
}

export function isDark() {
  return dark.matches;
}

/** Whether nothing should move by itself. */
export function isStill() {
  return still.matches;
}

/** @param {() => void} listener - called when one of them has changed */
export function onTheme(listener) {
  for (const query of [dark, still]) {
    query.addEventListener("change", () => {
      theme = read();
      listener();
    });
  }
}
