// A matrix as colours, each cell with its number: one hue from nothing to all, or two hues to both sides of a value.
import { short } from './numbers.js';
import { cut, escaped, heatSteps, type Picture, usualWidth } from './picture.js';

/** A cell that is known. */
export interface HeatCell {
  readonly value: number;
  /** What stands in it. */
  readonly said: string;
}

/** The picture. */
export interface HeatMap {
  readonly title: string;
  /** What the rows and the columns are. */
  readonly rowsAre: string;
  readonly columnsAre: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** By rows; undefined where there is nothing. */
  readonly cells: readonly (readonly (HeatCell | undefined)[])[];
  /** From 0 to `most`, or `reach` to both sides of `around`; what lies beyond has the last colour. */
  readonly scale: { readonly most: number } | { readonly around: number; readonly reach: number };
  /** What the colours mean. */
  readonly unit: string;
}

const labels = 158;
const cellHeight = 30;
/** Letters of a heading that lies; longer ones stand aslant. */
const lying = 7;

const clamped = (value: number, most: number): number => Math.min(most, Math.max(0, value));

/** The class of a colour, `h3` or `s3`, and that of the ink on it. */
function classesOf(value: number, scale: HeatMap['scale']): readonly [ground: string, ink: string] {
  const [name, steps, part] =
    'most' in scale
      ? (['h', heatSteps.heat, scale.most > 0 ? value / scale.most : 0] as const)
      : (['s', heatSteps.sides, scale.reach > 0 ? (value - scale.around) / scale.reach / 2 + 0.5 : 0.5] as const);
  // The middle step of two sides is what is not told from the middle.
  const step = clamped(Math.floor(part * steps), steps - 1);
  return [`${name}${step}`, `${name}i${step}`];
}

function legend({ scale, unit }: HeatMap, y: number): string {
  const steps = 'most' in scale ? heatSteps.heat : heatSteps.sides;
  const name = 'most' in scale ? 'h' : 's';
  const [from, to] = 'most' in scale ? [0, scale.most] : [scale.around - scale.reach, scale.around + scale.reach];
  const boxes = Array.from(
    { length: steps },
    (_, i) => `<rect class="${name}${i}" x="${52 + i * 20}" y="${y - 12}" width="20" height="14"/>`,
  );
  const end = 52 + steps * 20 + 8;
  return `<text class="soft" text-anchor="end" x="46" y="${y}">${short(from)}</text>${boxes.join('')}<text class="soft" x="${end}" y="${y}">${short(to)}<tspan dx="14">${escaped(cut(unit, 40))}</tspan></text>`;
}

/** The picture. */
export function heatPicture(map: HeatMap): Picture {
  const { title, rowsAre, columnsAre, rows, columns, cells, scale } = map;
  const aslant = columns.some((name) => name.length > lying);
  const longest = Math.min(18, Math.max(0, ...columns.map((name) => name.length)));
  const right = aslant ? 24 + longest * 4 : 16;
  const cell = clamped(Math.floor((usualWidth - labels - right) / Math.max(1, columns.length)), 92);
  const side = Math.max(cell, 44);
  const width = Math.max(usualWidth, labels + columns.length * side + right);
  const top = 78 + (aslant ? 24 + longest * 5 : 20);
  const bottom = top + rows.length * cellHeight;
  const x = (column: number) => labels + column * side;
  const headings = columns.map((name, i) =>
    aslant
      ? `<text class="small" transform="translate(${x(i) + side / 2 - 4} ${top - 8}) rotate(-40)">${escaped(cut(name, 18))}</text>`
      : `<text class="small" text-anchor="middle" x="${x(i) + side / 2}" y="${top - 8}">${escaped(name)}</text>`,
  );
  const body = rows.map((name, r) => {
    const y = top + r * cellHeight;
    const own = columns.map((_, c) => {
      const found = cells[r]?.[c];
      if (found === undefined)
        return `<rect class="none" x="${x(c) + 2}" y="${y + 2}" width="${side - 4}" height="${cellHeight - 4}"/>`;
      const [ground, ink] = classesOf(found.value, scale);
      return `<rect class="cell ${ground}" x="${x(c)}" y="${y}" width="${side}" height="${cellHeight}"/><text class="small ${ink}" text-anchor="middle" x="${x(c) + side / 2}" y="${y + 19}">${escaped(found.said)}</text>`;
    });
    return `<text class="small" text-anchor="end" x="${labels - 8}" y="${y + 19}">${escaped(cut(name, 20))}</text>${own.join('')}`;
  });
  const spoken = rows.map((name, r) => {
    const known = columns.flatMap((column, c) => {
      const found = cells[r]?.[c];
      return found === undefined ? [] : [`${column} ${found.said}`];
    });
    return `${name}: ${known.join(', ') || 'nothing known'}.`;
  });
  return {
    width,
    height: bottom + 46,
    title,
    spoken: `Rows are ${rowsAre}, columns are ${columnsAre}. ${spoken.join(' ')}`,
    body: () =>
      [
        `<text class="title" x="16" y="32">${escaped(cut(title, 46))}</text>`,
        `<text class="soft" x="16" y="54">rows: ${escaped(cut(rowsAre, 36))}; columns: ${escaped(cut(columnsAre, 36))}</text>`,
        ...headings,
        ...body,
        legend(map, bottom + 30),
      ].join('\n'),
  };
}
