// Bars that lie, a row for each thing, so that long names and many rows fit: panels one below the other, each row of one or two parts that add up, or of a
// value with what it spreads by.
import { short } from './numbers.js';
import { cut, escaped, type Picture, usualWidth } from './picture.js';
import { evenScale } from './scale.js';

/** A row of a panel. */
export interface BarRow {
  readonly name: string;
  /** Of each part, as the panel names them; none where nothing is known. */
  readonly values: readonly number[];
  /** What stands behind the bar; the sum where absent. */
  readonly said?: string;
  /** Drawn as a line to both sides of the end: a standard deviation. */
  readonly spread?: number;
}

/** One quantity. */
export interface BarPanel {
  readonly name: string;
  readonly unit: string;
  readonly rows: readonly BarRow[];
}

/** The picture. */
export interface Bars {
  readonly title: string;
  /** What the parts of a bar are, the first drawn full, the second as an outline. One part needs no name. */
  readonly parts: readonly string[];
  readonly panels: readonly BarPanel[];
}

const rowHeight = 26;
const labels = 132;
const said = 86;
const plot = usualWidth - labels - said - 16;
const sumOf = ({ values }: BarRow): number => values.reduce((a, b) => a + b, 0);

function panelOf({ name, unit, rows }: BarPanel, top: number): string {
  const known = rows.filter(({ values }) => values.length > 0);
  const scale = evenScale(
    [0, ...known.map((row) => sumOf(row) + (row.spread ?? 0)), ...known.map((row) => sumOf(row) - (row.spread ?? 0))],
    3,
  );
  const x = (value: number) => labels + plot * scale.at(value);
  const bottom = top + 24 + rows.length * rowHeight;
  const ticks = scale.ticks.map(
    (t) =>
      `<path class="rule" d="M${x(t).toFixed(1)} ${top + 24}V${bottom}"/><text class="soft" text-anchor="middle" x="${x(t).toFixed(1)}" y="${bottom + 17}">${short(t)}</text>`,
  );
  const bars = rows.map((row, i) => {
    const y = top + 24 + i * rowHeight;
    const label = `<text class="small" text-anchor="end" x="${labels - 8}" y="${y + 18}">${escaped(cut(row.name, 15))}</text>`;
    if (row.values.length === 0) return `${label}<text class="soft" x="${labels + 6}" y="${y + 18}">not known</text>`;
    let from = 0;
    const parts = row.values.map((value, part) => {
      const [a, b] = [x(from), x(from + value)];
      from += value;
      const width = Math.abs(b - a);
      return width < 0.05
        ? ''
        : `<rect class="c0${part === 0 ? '' : ' open'}" x="${Math.min(a, b).toFixed(1)}" y="${y + 5}" width="${width.toFixed(1)}" height="${rowHeight - 10}"/>`;
    });
    const spread =
      row.spread === undefined
        ? ''
        : `<path class="whisker" d="M${x(from - row.spread).toFixed(1)} ${y + 13}H${x(from + row.spread).toFixed(1)}m0 -5v10M${x(from - row.spread).toFixed(1)} ${y + 8}v10"/>`;
    const text = `<text class="small" x="${labels + plot + 12}" y="${y + 18}">${escaped(row.said ?? short(from))}</text>`;
    return `${label}${parts.join('')}${spread}${text}`;
  });
  const heading = `<text class="name" x="16" y="${top + 12}">${escaped(name)}<tspan class="soft" dx="6">${escaped(unit)}</tspan></text>`;
  return [heading, ...ticks, ...bars].join('\n');
}

const panelHeight = ({ rows }: BarPanel): number => 24 + rows.length * rowHeight + 48;

/** The picture. */
export function barsPicture({ title, parts, panels }: Bars): Picture {
  const key = parts.length < 2 ? 0 : 30;
  let x = 16;
  const keys = parts.map((part, i) => {
    const own = `<rect class="c0${i === 0 ? '' : ' open'}" x="${x}" y="48" width="20" height="12"/><text class="small" x="${x + 27}" y="59">${escaped(part)}</text>`;
    x += 27 + part.length * 7 + 24;
    return own;
  });
  const tops = panels.map((_, i) => 62 + key + panels.slice(0, i).reduce((sum, panel) => sum + panelHeight(panel), 0));
  const height = 62 + key + panels.reduce((sum, panel) => sum + panelHeight(panel), 0) - 12;
  const spoken = panels.map(
    ({ name, unit, rows }) =>
      `${name}, ${unit}: ${rows.map((row) => `${row.name} ${row.values.length === 0 ? 'not known' : (row.said ?? short(sumOf(row)))}`).join(', ')}.`,
  );
  return {
    width: usualWidth,
    height,
    title,
    spoken: spoken.join(' '),
    body: () =>
      [
        `<text class="title" x="16" y="32">${escaped(cut(title, 46))}</text>`,
        ...(key === 0 ? [] : keys),
        ...panels.map((panel, i) => panelOf(panel, tops[i] ?? 0)),
      ].join('\n'),
  };
}
