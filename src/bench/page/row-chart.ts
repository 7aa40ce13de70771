/** Charts of rows over one axis of time: a name, a bar or a range, and what it amounts to. */
import type { CustomSeriesOption } from "echarts/charts";
import type { Axis } from "./axis.js";
import { plain } from "./markup.js";
import { type Chart, font, fontSize } from "./svg.js";

export type Row =
  /** A heading for the rows below it. */
  | { readonly kind: "lane"; readonly text: string }
  /** A line above everything. */
  | { readonly kind: "head"; readonly text: string }
  /** A line of small print, below everything. */
  | { readonly kind: "note"; readonly text: string }
  | {
      readonly kind: "time";
      readonly name: string;
      /** What is written at its end. */
      readonly value: string;
      readonly color: string;
      /** On the axis; undefined where there is nothing to draw. */
      readonly from: number | undefined;
      readonly to: number | undefined;
      /** A bar from one moment to the other, or a range whose ends are told apart. */
      readonly shape: "bar" | "range";
    };

export interface RowChart {
  readonly label: string;
  readonly width: number;
  readonly rows: readonly Row[];
  /** Between its ends lie all of the rows' `from` and `to`. */
  readonly axis: Axis;
}

type Render = NonNullable<CustomSeriesOption["renderItem"]>;
type Root = NonNullable<ReturnType<Render>>;
type Shape = Extract<Root, { type: "group" }>["children"][number];

/** What is too short to be seen is drawn as wide as this, in px. */
const thin = 3;

/** Room for the axis' labels. */
const labels = 36;

/** Lays `rows` out: in one line each where there is room, otherwise the words above the bar. */
export function rowChart({ label, width, rows, axis }: RowChart): Chart {
  const isWide = width >= 600;
  const left = isWide ? 248 : 10;
  const right = isWide ? 188 : 10;
  const indent = isWide ? 12 : 10;
  const { tops, body, above, below } = placed(rows, isWide);

  const render: Render = ({ dataIndex }, api) => {
    const row = rows[dataIndex];
    if (row === undefined) return null;
    const x = (value: number) => api.coord([value, 0])[0] ?? left;
    const top = api.coord([0, tops[dataIndex] ?? 0])[1] ?? 0;
    switch (row.kind) {
      case "head":
      case "lane":
        return group([textAt(row.text, indent, top + 20, width - 2 * indent, "left", "var(--fg)", "bold")]);
      case "note":
        return group([textAt(row.text, indent, top + 10, width - 2 * indent, "left", "var(--muted)")]);
      case "time": {
        const textY = isWide ? top + 17 : top + 14;
        const valueRoom = isWide ? right - indent - 10 : 150;
        const nameRoom = isWide ? left - indent - 14 : width - valueRoom - 20;
        const children = [
          textAt(row.name, indent, textY, nameRoom, "left"),
          textAt(row.value, width - indent, textY, valueRoom, "right"),
        ];
        if (row.from !== undefined && row.to !== undefined) {
          const y = isWide ? textY : top + 34;
          children.push(...shapesOf(row.shape, x(row.from), x(row.to), y, row.color));
        }
        return group(children);
      }
      default:
        return row satisfies never;
    }
  };

  return {
    label,
    width,
    height: above + body + labels + below,
    option: {
      grid: { left, right, top: above, height: body },
      xAxis: axis,
      yAxis: { type: "value", show: false, inverse: true, min: 0, max: body },
      series: { type: "custom", renderItem: render, data: rows.map((_, i) => [axis.min, tops[i]]) },
    },
  };
}

/** Where the rows begin, from the top of the axes: what `head` and `note` say stands above and below them. */
function placed(rows: readonly Row[], isWide: boolean) {
  const heights = { head: 32, lane: 32, note: 24, time: isWide ? 34 : 50 };
  const sumOf = (...kinds: Row["kind"][]) =>
    rows.reduce((sum, { kind }) => sum + (kinds.includes(kind) ? heights[kind] : 0), 0);
  const above = sumOf("head") + 4;
  const body = sumOf("lane", "time");
  const next = { head: 4 - above, body: 0, note: body + labels };
  const tops = rows.map(({ kind }) => {
    const place = kind === "head" || kind === "note" ? kind : "body";
    const top = next[place];
    next[place] += heights[kind];
    return top;
  });
  return { tops, body, above, below: sumOf("note") + 6 };
}

function shapesOf(shape: "bar" | "range", from: number, to: number, y: number, color: string): Shape[] {
  switch (shape) {
    case "bar": {
      return [rect(from, y - 7, Math.max(to - from, thin), 14, color)];
    }
    case "range":
      return [
        rect(from, y - 1.5, to - from, 3, color),
        {
          type: "polygon",
          shape: {
            points: [
              [to - 8, y],
              [to, y - 8],
              [to + 8, y],
              [to, y + 8],
            ],
          },
          style: { fill: "var(--bg)", stroke: color, lineWidth: 2 },
          silent: true,
        },
        { type: "circle", shape: { cx: from, cy: y, r: 4.5 }, style: { fill: color }, silent: true },
      ];
    default:
      return shape satisfies never;
  }
}

function group(children: Shape[]): Root {
  return { type: "group", children };
}

function rect(x: number, y: number, width: number, height: number, fill: string): Shape {
  return { type: "rect", shape: { x, y, width, height, r: 1.5 }, style: { fill }, silent: true };
}

function textAt(
  text: string,
  x: number,
  y: number,
  width: number,
  align: "left" | "right",
  fill = "var(--fg)",
  fontWeight: "normal" | "bold" = "normal",
): Shape {
  return {
    type: "text",
    x,
    y,
    style: {
      ...font,
      fontWeight,
      text: plain(text),
      fill,
      // Over the lines of the axis.
      stroke: "var(--bg)",
      lineWidth: 4,
      align,
      verticalAlign: "middle",
      overflow: "truncate",
      width,
      lineHeight: fontSize,
    },
    silent: true,
  };
}
