// Where the network's columns, blocks and laterals stand in the drawing. Columns go to the right in the order of learning, blocks upwards, as in
// the paper's figure. Numbers in, coordinates out: nothing of a page.

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly detail: string;
}

/** A lateral between two columns. */
export interface DrawnLateral {
  /** The task that it comes from, and its block. */
  readonly source: string;
  readonly sourceBlock: number;
  /** The block that it goes into; the number of the column's blocks stands for the head. */
  readonly into: number;
  /** How strong it is: what its width follows from. */
  readonly gain: number;
}

/** A column as it is drawn. */
export interface DrawnTask<L extends DrawnLateral> {
  readonly task: string;
  readonly trained: boolean;
  readonly blocks: readonly { readonly layers: readonly string[]; readonly shape: readonly (number | string)[] }[];
  readonly head: string;
  /** How many; absent where nothing is predicted. */
  readonly outputs?: number;
  readonly names?: readonly string[];
  readonly laterals: readonly L[];
}

export interface ColumnDrawing {
  readonly task: string;
  readonly trained: boolean;
  /** Of the blocks from below, the head last. */
  readonly boxes: readonly Box[];
  /** Straight lines between the boxes, from the input up. */
  readonly links: readonly string[];
  readonly label: { readonly x: number; readonly y: number };
}

/** A lateral with its place. */
export type LateralDrawing<L extends DrawnLateral> = L & {
  readonly task: string;
  /** An SVG path from the source's block to the target. */
  readonly path: string;
  readonly width: number;
};

export interface Drawing<L extends DrawnLateral> {
  readonly width: number;
  readonly height: number;
  readonly columns: readonly ColumnDrawing[];
  readonly laterals: readonly LateralDrawing<L>[];
  readonly input: Box;
}

const box = { width: 176, height: 44 };
const gap = { x: 50, y: 28 };
const margin = 10;
const labelHeight = 30;
const inputHeight = 30;
const widest = 9;
const narrowest = 1;

/** Throws an internal error for a lateral without ends. */
export function drawingOf<L extends DrawnLateral>(tasks: readonly DrawnTask<L>[], inputText: string): Drawing<L> {
  const deepest = Math.max(1, ...tasks.map((t) => t.blocks.length + 1));
  const width = 2 * margin + Math.max(1, tasks.length) * (box.width + gap.x) - gap.x;
  const bottom = margin + labelHeight + deepest * (box.height + gap.y);
  const input = { x: margin, y: bottom, width: width - 2 * margin, height: inputHeight, title: inputText, detail: '' };
  const columns = tasks.map((task, index): ColumnDrawing => {
    const x = margin + index * (box.width + gap.x);
    const at = (level: number) => bottom - gap.y - box.height - level * (box.height + gap.y);
    const boxes = [
      ...task.blocks.map(
        ({ layers, shape }, level): Box => ({ x, y: at(level), ...box, title: layers.join(', '), detail: shape.join(' × ') }),
      ),
      {
        x,
        y: at(task.blocks.length),
        ...box,
        title: task.outputs === undefined ? task.head : `${task.head} ${task.outputs}`,
        detail: task.names?.join(' ') ?? '',
      },
    ];
    const links = boxes.map((b, level) => {
      const below = boxes[level - 1]?.y ?? input.y;
      return `M ${b.x + b.width / 2} ${below} V ${b.y + b.height}`;
    });
    const top = boxes.at(-1)?.y ?? bottom;
    return { task: task.task, trained: task.trained, boxes, links, label: { x: x + box.width / 2, y: top - 12 } };
  });
  const strongest = Math.max(...tasks.flatMap((t) => t.laterals.map((l) => l.gain)), 1e-9);
  const laterals = tasks.flatMap((task, index) =>
    task.laterals.map((lateral): LateralDrawing<L> => {
      const source = columns.find((c) => c.task === lateral.source)?.boxes[lateral.sourceBlock];
      const target = columns[index]?.boxes[lateral.into];
      if (source === undefined || target === undefined) throw new Error('internal: a lateral without ends');
      // From the source's right edge into the target's lower left corner.
      const [x0, y0] = [source.x + source.width, source.y + source.height / 2];
      const [x1, y1] = [target.x, target.y + target.height / 2];
      const bend = Math.min(gap.x, (x1 - x0) / 2);
      const path = `M ${x0} ${y0} C ${x0 + bend} ${y0}, ${x1 - bend} ${y1}, ${x1} ${y1}`;
      return { ...lateral, task: task.task, path, width: narrowest + (widest - narrowest) * (lateral.gain / strongest) };
    }),
  );
  return { width, height: bottom + inputHeight + margin, columns, laterals, input };
}
