// The network drawn: columns, blocks, and what flows into each block, coloured and as wide as its share. Where nothing is known of a lateral it is dotted.
import { type DrawnLateral, type DrawnTask, drawingOf } from './network-layout.js';
import { cut, escaped, heatSteps, type Picture } from './picture.js';

/** A lateral with its share of what flows into its block, 0 to 1; without one nothing is known. */
export interface SharedLateral extends DrawnLateral {
  readonly share?: number;
}

/** A column with the shares of its own taps. */
export interface SharedTask extends DrawnTask<SharedLateral> {
  /** By the block that reads: what of it comes from the column's own block below. */
  readonly own: ReadonlyMap<number, number>;
}

/** The picture. */
export interface NetworkFigure {
  readonly title: string;
  readonly tasks: readonly SharedTask[];
  readonly input: string;
  /** What a share is. */
  readonly unit: string;
}

const head = 44;
const foot = 40;
const percent = (share: number): string => `${Math.round(100 * share)} %`;
const heatOf = (share: number): string => `h${Math.min(heatSteps.heat - 1, 1 + Math.floor(share * (heatSteps.heat - 1)))}`;
const widthOf = (share: number): string => (1.5 + 7.5 * share).toFixed(1);

/** Throws an internal error for a lateral without ends. */
export function networkPicture({ title, tasks, input, unit }: NetworkFigure): Picture {
  const drawing = drawingOf(tasks, input);
  const width = Math.max(drawing.width, 430);
  const shared = tasks.some(({ own, laterals }) => own.size > 0 || laterals.some(({ share }) => share !== undefined));
  const place = (task: string, into: number) =>
    tasks.find((t) => t.task === task)?.blocks.length === into ? 'head' : `block ${into}`;
  const laterals = [...drawing.laterals]
    .sort((a, b) => (a.share ?? -1) - (b.share ?? -1))
    .map(({ share, path, task, into, source }) => {
      const own = share === undefined ? 'class="unknown"' : `class="${heatOf(share)}" style="stroke-width:${widthOf(share)}"`;
      const said = `${source} into ${place(task, into)} of ${task}${share === undefined ? '' : `: ${percent(share)}`}`;
      return `<path ${own} d="${path}"><title>${escaped(said)}</title></path>`;
    });
  const columns = drawing.columns.map((column, i) => {
    const links = column.links.map((d, level) => {
      const share = tasks[i]?.own.get(level);
      if (share === undefined) return `<path class="link" d="${d}"/>`;
      const box = column.boxes[level];
      const label =
        box === undefined
          ? ''
          : `<text class="small" x="${box.x + box.width / 2 + 9}" y="${box.y + box.height + 18}">${percent(share)}</text>`;
      return `<path class="${heatOf(share)}" style="stroke-width:${widthOf(share)}" d="${d}"/>${label}`;
    });
    const boxes = column.boxes.map((b, level) => {
      const name = `box${level === column.boxes.length - 1 ? ' head' : ''}${column.trained ? '' : ' new'}`;
      const detail =
        b.detail === ''
          ? ''
          : `<text class="soft" text-anchor="middle" x="${b.x + b.width / 2}" y="${b.y + 36}">${escaped(cut(b.detail, 22))}</text>`;
      return `<rect class="${name}" x="${b.x}" y="${b.y}" width="${b.width}" height="${b.height}" rx="7"/><text class="small" text-anchor="middle" x="${b.x + b.width / 2}" y="${b.y + (b.detail === '' ? 27 : 19)}">${escaped(cut(b.title, 25))}</text>${detail}`;
    });
    const label = `<text class="name" text-anchor="middle" x="${column.label.x}" y="${column.label.y}">${escaped(cut(column.task, 20))}</text>`;
    return [...links, ...boxes, label].join('');
  });
  const { x, y, width: wide, height: high } = drawing.input;
  const inputBox = `<rect class="box" x="${x}" y="${y}" width="${wide}" height="${high}" rx="7"/><text class="small" text-anchor="middle" x="${x + wide / 2}" y="${y + 20}">${escaped(cut(input, Math.floor(wide / 7.5)))}</text>`;
  const keyY = drawing.height + 22;
  const boxes = Array.from(
    { length: heatSteps.heat - 1 },
    (_, i) => `<rect class="h${i + 1}" x="${48 + i * 20}" y="${keyY - 12}" width="20" height="14"/>`,
  );
  const end = 48 + (heatSteps.heat - 1) * 20 + 8;
  const key = shared
    ? `<text class="soft" x="10" y="${keyY}">0 %</text>${boxes.join('')}<text class="soft" x="${end}" y="${keyY}">100 % <tspan dx="6">${escaped(cut(unit, Math.floor((width - end - 60) / 7)))}</tspan></text>`
    : `<text class="soft" x="10" y="${keyY}">dotted: a lateral that is not measured</text>`;
  const spoken = tasks.map(({ task, laterals: own, blocks }) => {
    const from = own.map(
      ({ source, into, share }) =>
        `${source} into ${into === blocks.length ? 'head' : `block ${into}`}${share === undefined ? '' : ` ${percent(share)}`}`,
    );
    return `${task}: ${blocks.length} blocks; ${from.length === 0 ? 'no laterals' : `laterals ${from.join(', ')}`}.`;
  });
  return {
    width,
    height: head + drawing.height + foot,
    title,
    spoken: spoken.join(' '),
    body: () =>
      `<text class="title" x="10" y="30">${escaped(cut(title, 44))}</text>
<g transform="translate(0 ${head})">
${[...laterals, ...columns, inputBox, key].join('\n')}
</g>`,
  };
}
