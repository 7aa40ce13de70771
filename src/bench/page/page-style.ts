/** How the page and the picture look. Colours after Okabe and Ito, text at 4.5:1 or more on either background. */

/** The colours, for whatever `selector` selects. */
export function colorsFor(selector: string): string {
  return `${selector} {
  color-scheme: light dark;
  --bg: #fff; --panel: #f4f5f7; --fg: #1b1f24; --muted: #59616b; --rule: #e3e6ea; --axis: #8b939d; --link: #005a9c;
  --cancel: #a8508a; --seen: #0072b2; --stopped: #d55e00; --settled: #1b1f24; --next: #008a63; --bare: #767d86;
  --notice: #fff4d6; --notice-rule: #b07800;
}
@media (prefers-color-scheme: dark) {
  ${selector} {
    --bg: #14171b; --panel: #1e2329; --fg: #e6e9ed; --muted: #a3abb5; --rule: #2c3239; --axis: #6d7680; --link: #7cc4f5;
    --cancel: #e09cc4; --seen: #56b4e9; --stopped: #f08a3c; --settled: #f2f4f6; --next: #2cc79b; --bare: #98a1ab;
    --notice: #33290f; --notice-rule: #c79a2b;
  }
}
`;
}

export const fontFamily = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

export const pageStyle = `${colorsFor(":root")}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; padding: 1rem 10px 3rem; background: var(--bg); color: var(--fg); font: 16px/1.5 ${fontFamily}; }
main { max-width: 860px; margin: 0 auto; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; line-height: 1.25; margin: 3rem 0 .25rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .25rem; }
p { margin: .4rem 0; }
a { color: var(--link); }
.muted, figcaption { color: var(--muted); font-size: .875rem; }
.notice { margin: 1rem 0; padding: .6rem .8rem; background: var(--notice); border-left: 4px solid var(--notice-rule); }
.notice p { margin: 0; }
.notice p + p { margin-top: .4rem; }
.words { display: grid; grid-template-columns: max-content 1fr; gap: .15rem .8rem; margin: .5rem 0; }
.words dt { font-weight: 600; }
.words dd { margin: 0; }
.summary { padding-left: 1.2rem; margin: .6rem 0; }
figure { margin: .75rem 0; }
figure svg, .legend svg { display: block; }
figure svg { width: 100%; height: auto; }
.wide { display: none; }
.narrow { max-width: 480px; }
@media (min-width: 720px) {
  body { padding: 2rem 24px 4rem; }
  h1 { font-size: 2rem; }
  .wide { display: block; }
  .narrow { display: none; }
}
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; margin: .5rem 0; padding: 0; font-size: .9rem; }
.legend li { display: flex; align-items: center; gap: .5rem; }
.scroll { overflow-x: auto; margin: .75rem 0; }
.scroll:focus-visible { outline: 2px solid var(--link); }
table { border-collapse: collapse; font-size: .8125rem; font-variant-numeric: tabular-nums; white-space: nowrap; min-width: 100%; }
th, td { padding: .35rem .36rem; text-align: right; border-bottom: 1px solid var(--rule); }
thead th { color: var(--muted); font-weight: 500; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: var(--bg); padding-left: 0; white-space: normal;
  overflow-wrap: anywhere; min-width: 6.5rem; max-width: min(45vw, 20rem); }
tbody th { font-weight: 600; }
td.empty { color: var(--muted); text-align: left; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
`;
