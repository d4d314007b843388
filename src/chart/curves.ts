// Learning curves as one picture: a panel for each measure, epochs or other steps along it. What the values are, the caller knows.
import { short } from './numbers.js';
import { cut, escaped, type Picture, seriesColours, svgFile, usualWidth } from './picture.js';
import { evenScale, linePath, logScale, type Scale, wholeTicks } from './scale.js';

/** Values of one run, of its training or its validation data, by epoch. */
export interface CurveLine {
  readonly run: number;
  readonly part: 'training' | 'validation';
  /** `spread`, a standard deviation, is drawn to both sides of the value. */
  readonly points: readonly { readonly epoch: number; readonly value: number; readonly spread?: number }[];
}

/** One measure. */
export interface CurvePanel {
  readonly name: string;
  /** What its numbers are, after the name. */
  readonly unit: string;
  /** Values below are cut off. */
  readonly least?: number;
  /** May be drawn by its logarithm, where it goes over two powers of ten. */
  readonly logarithmic?: boolean;
  readonly lines: readonly CurveLine[];
}

/** One training. */
export interface CurveRun {
  readonly name: string;
  /** A line about it. */
  readonly about: string;
  /** What stands beside its name. */
  readonly result?: string;
  /** The epoch to mark. */
  readonly best?: number;
  /** Drawn stronger than the others; or without a colour and a row of its own, behind those that have one and come first. */
  readonly weight?: 'strong' | 'quiet';
}

export interface Curves {
  readonly title: string;
  readonly runs: readonly CurveRun[];
  readonly panels: readonly CurvePanel[];
  /** What stands along a panel in place of epochs: what its steps are, and the name of each. A line's "epoch" is the number of the step then, from 1. */
  readonly along?: { readonly name: string; readonly at: readonly string[] };
}

const width = usualWidth;
const left = 60;
const right = 20;
const plotWidth = width - left - right;
const plotHeight = 160;
/** Letters that a name along a panel may have, of so many. */
const lettersAt = (names: number): number => Math.max(2, Math.floor(plotWidth / Math.max(1, names - 1) / 7.5));
/** A panel with its heading above and the epochs below. */
const panelHeight = plotHeight + 84;
/** The class of a line: by its run, or where there is one run alone by its data. */
function classOf({ run, part }: Pick<CurveLine, 'run' | 'part'>, runs: readonly CurveRun[]): string {
  const weight = runs[run]?.weight;
  if (weight === 'quiet') return `${part} quiet`;
  const colour = (runs.length === 1 ? Number(part === 'training') : run) % seriesColours.length;
  return `${part} c${colour}${weight === 'strong' && part === 'validation' ? ' strong' : ''}`;
}

const isLoud = ({ weight }: CurveRun): boolean => weight !== 'quiet';

/** Softer, after a name. */
const beside = (text: string | undefined): string =>
  text === undefined || text === '' ? '' : ` <tspan class="soft" dx="6">${escaped(text)}</tspan>`;

/** Line and text of each run, then what full, dashed and dotted mean. */
function legend({ runs, panels, along }: Curves, top: number): { readonly svg: string; readonly height: number } {
  const parts = (['validation', 'training'] as const).filter(
    (part) => along === undefined && panels.some((p) => p.lines.some((l) => l.part === part)),
  );
  const loud = runs.filter(isLoud);
  const quiet = runs.length - loud.length;
  const rows = loud.map(({ name, about, result }, run) => {
    const y = top + run * 44;
    const own = classOf({ run, part: 'validation' }, runs);
    const sign = `<path class="shape ${own}" d="${shapeAt(run, 28, y - 5)}"/>`;
    const swatch = runs.length === 1 ? '' : `<path class="${own}" d="M16 ${y - 5}H40"/>${sign}`;
    const x = runs.length === 1 ? 16 : 48;
    return `${swatch}<text class="name" x="${x}" y="${y}">${escaped(cut(name, 34))}${beside(result)}</text><text class="soft" x="${x}" y="${y + 19}">${escaped(cut(about, runs.length === 1 ? 70 : 64))}</text>`;
  });
  const last = top + loud.length * 44;
  if (quiet > 0)
    rows.push(
      `<path class="validation quiet" d="M16 ${last - 5}H40"/><text class="soft" x="48" y="${last}">${quiet} more</text>`,
    );
  const y = last + (quiet > 0 ? 36 : 8);
  let x = 16;
  const keys = parts.map((part) => {
    const own = runs.length === 1 ? classOf({ run: 0, part }, runs) : `${part} key`;
    const key = `<path class="${own}" d="M${x} ${y - 5}h28"/><text x="${x + 36}" y="${y}">${part}</text>`;
    x += 36 + part.length * 8 + 22;
    return key;
  });
  const best = runs.some((run) => run.best !== undefined)
    ? `<path class="mark" d="M${x + 6} ${y - 13}v16"/><text x="${x + 18}" y="${y}">best epoch</text>`
    : '';
  return { svg: [...rows, ...keys, best].join('\n'), height: y - top + 18 };
}

function scaleOf({ lines, least = Number.NEGATIVE_INFINITY, logarithmic }: CurvePanel): {
  readonly y: Scale;
  readonly log: boolean;
} {
  const values = lines
    .flatMap(({ points }) => points.flatMap(({ value, spread = 0 }) => [value - spread, value + spread]))
    .map((value) => Math.max(value, least))
    .filter(Number.isFinite);
  const lowest = Math.min(...values);
  const log = logarithmic === true && lowest > 0 && Math.max(...values) / lowest > 100;
  return { y: log ? logScale(values) : evenScale(values.length === 0 ? [0] : values), log };
}

function panel(curves: Curves, shown: CurvePanel, clip: string, top: number, epochs: number): string {
  const { runs, along } = curves;
  const { y: scale, log } = scaleOf(shown);
  const x = (epoch: number) => left + (epochs === 1 ? plotWidth / 2 : (plotWidth * (epoch - 1)) / (epochs - 1));
  const y = (value: number) => top + 34 + plotHeight * (1 - scale.at(value));
  const bottom = top + 34 + plotHeight;
  const unit = [shown.unit, ...(log ? ['logarithmic'] : []), ...(shown.least === undefined ? [] : [`cut at ${shown.least}`])];
  const out = [
    `<text class="name" x="16" y="${top + 14}">${escaped(shown.name)}${beside(unit.join(', '))}</text>`,
    ...atBest(curves, shown, top),
    ...scale.ticks.map(
      (t) =>
        `<path class="rule" d="M${left} ${y(t).toFixed(1)}H${width - right}"/><text class="soft" text-anchor="end" x="${left - 8}" y="${(y(t) + 4.5).toFixed(1)}">${short(t)}</text>`,
    ),
    ...(along === undefined ? wholeTicks(epochs, 6) : along.at.map((_, i) => i + 1)).map((t) =>
      stepName(x(t), bottom + 19, cut(along?.at[t - 1] ?? String(t), lettersAt(epochs))),
    ),
    `<text class="soft" text-anchor="middle" x="${left + plotWidth / 2}" y="${bottom + 37}">${escaped(along?.name ?? 'epoch')}</text>`,
    `<clipPath id="${clip}"><rect x="${left - 4}" y="${top + 28}" width="${plotWidth + 8}" height="${plotHeight + 10}"/></clipPath>`,
  ];
  runs.forEach(({ best }, run) => {
    const own = runs.length === 1 ? '' : ` style="stroke:var(--c${run % seriesColours.length})"`;
    if (best !== undefined) out.push(`<path class="mark"${own} d="M${x(best).toFixed(1)} ${top + 34}V${bottom}"/>`);
  });
  // The validation data are what counts: above the training data.
  // So do the first runs, where some are stronger or quieter than others.
  const depth = ({ run }: CurveLine) => ({ quiet: -1, strong: 1, usual: 0 })[runs[run]?.weight ?? 'usual'];
  for (const line of [...shown.lines].sort((a, b) => depth(a) - depth(b) || a.part.localeCompare(b.part))) {
    const name = classOf(line, runs);
    const points = line.points.map(({ epoch, value }) => [x(epoch), y(value)] as const);
    out.push(...spreadOf(line, name, clip, x, y));
    out.push(`<path class="${name}" clip-path="url(#${clip})" d="${linePath(points)}"/>`);
    const best = line.points.find(({ epoch }) => epoch === runs[line.run]?.best);
    // Signs of their own tell several runs apart.
    const signs = runs.length > 1 && line.part === 'validation' && !name.endsWith('quiet');
    const dots = line.points.length === 1 || along !== undefined ? (signs ? [] : line.points) : best === undefined ? [] : [best];
    for (const dot of dots) {
      if (dot.value < (shown.least ?? dot.value)) continue;
      out.push(`<circle class="${name}" cx="${x(dot.epoch).toFixed(1)}" cy="${y(dot.value).toFixed(1)}" r="5"/>`);
    }
    if (signs) out.push(...shapesOf(line, name, along !== undefined, x, y));
  }
  return out.join('\n');
}

/** The name of a step, which the picture does not cut at its end. */
function stepName(x: number, y: number, text: string): string {
  const out = x + text.length * 4 > width - 4;
  return `<text class="soft" text-anchor="${out ? 'end' : 'middle'}" x="${(out ? width - 4 : x).toFixed(1)}" y="${y}">${escaped(text)}</text>`;
}

/** What the values spread by, behind their line. */
function spreadOf({ points }: CurveLine, name: string, clip: string, x: Place, y: Place): string[] {
  if (points.every(({ spread = 0 }) => spread === 0)) return [];
  const edge = (sign: 1 | -1) =>
    points.map(({ epoch, value, spread = 0 }) => `${x(epoch).toFixed(1)} ${y(value + sign * spread).toFixed(1)}`);
  return [`<path class="spread ${name}" clip-path="url(#${clip})" d="M${[...edge(1), ...edge(-1).reverse()].join(' L')}Z"/>`];
}

type Place = (value: number) => number;

/** A sign around a place, another for each of so many runs: lines are told apart by more than colours. */
const shapes: readonly ((x: number, y: number) => string)[] = [
  (x, y) => `M${x - 4} ${y - 4}h8v8h-8Z`,
  (x, y) => `M${x} ${y - 5.5}L${x + 5} ${y + 4}H${x - 5}Z`,
  (x, y) => `M${x} ${y - 5.5}L${x + 5.5} ${y}L${x} ${y + 5.5}L${x - 5.5} ${y}Z`,
  (x, y) => `M${x} ${y + 5.5}L${x + 5} ${y - 4}H${x - 5}Z`,
  (x, y) => `M${x - 1.5} ${y - 5}h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5Z`,
  (x, y) => `M${x - 2.5} ${y - 5}h5L${x + 5} ${y}L${x + 2.5} ${y + 5}h-5L${x - 5} ${y}Z`,
  (x, y) => `M${x - 5} ${y - 2}h10v4h-10Z`,
];
const shapeAt = (run: number, x: number, y: number): string =>
  shapes[run % shapes.length]?.(Number(x.toFixed(1)), Number(y.toFixed(1))) ?? '';

/** The run's sign at all of its points, or at some: no more than eight, those of each run beside those of the others. */
function shapesOf({ run, points }: CurveLine, name: string, all: boolean, x: Place, y: Place): string[] {
  const step = all ? 1 : Math.max(1, Math.ceil(points.length / 8));
  return points
    .filter((_, i) => i % step === run % step || points.length === 1)
    .map(({ epoch, value }) => `<path class="shape ${name}" d="${shapeAt(run, x(epoch), y(value))}"/>`);
}

/** The value at the best epoch, where there is one run. */
function atBest({ runs }: Curves, { lines }: CurvePanel, top: number): string[] {
  const [only, ...others] = runs;
  const line = lines.find(({ part }) => part === 'validation') ?? lines[0];
  const point = line?.points.find(({ epoch }) => epoch === only?.best);
  if (others.length > 0 || point === undefined) return [];
  return [`<text class="soft" text-anchor="end" x="${width - right}" y="${top + 14}">${short(point.value)} at best</text>`];
}

/** What the picture says, for those who do not see it. */
function spoken({ runs, panels, along }: Curves): string {
  const loud = runs.filter(isLoud);
  const about = loud.map((run) => `${run.name}: ${run.about}.`);
  const ends = panels.flatMap(({ name, lines }) =>
    lines.flatMap(({ run, part, points }) => {
      if (run >= loud.length) return [];
      if (along !== undefined) {
        const values = points.map(({ epoch, value }) => `${short(value)} at ${along.at[epoch - 1]}`);
        return [`${runs[run]?.name}, ${name} by ${along.name}: ${values.join(', ')}.`];
      }
      const [first, last] = [points[0], points.at(-1)];
      return first === undefined || last === undefined
        ? []
        : [
            `${runs[run]?.name}, ${name} on ${part} data: ${short(first.value)} in epoch ${first.epoch}, ${short(last.value)} in epoch ${last.epoch}.`,
          ];
    }),
  );
  const more = runs.length > loud.length ? [`${runs.length - loud.length} more.`] : [];
  return [...about, ...more, ...ends].join(' ');
}

/** The picture. */
export function curvesPicture(curves: Curves): Picture {
  const { title, panels, along } = curves;
  const epochs =
    along?.at.length ?? Math.max(1, ...panels.flatMap((p) => p.lines.flatMap((l) => l.points.map(({ epoch }) => epoch))));
  const key = legend(curves, 62);
  const top = 62 + key.height + 12;
  const height = top + panels.length * panelHeight;
  const body = (id: string) => `<text class="title" x="16" y="32">${escaped(cut(title, 46))}</text>
${key.svg}
${panels.map((p, i) => panel(curves, p, `${id}p${i}`, top + i * panelHeight, epochs)).join('\n')}`;
  return { width, height, title, spoken: spoken(curves), body };
}

/** The same as a file. */
export const curvesSvg = (curves: Curves): string => svgFile(curvesPicture(curves));
