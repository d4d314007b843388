// The part of `prognet inspect` on taps: inner values of a model that later columns could read.
import { formatShape, type Shape } from '../../onnx/core/shape.js';
import { spread, type TapCandidate } from '../../onnx/features/candidates.js';
import { layoutWords } from '../../onnx/features/layout.js';
import { modelCandidates } from '../../onnx/features/model-candidates.js';
import type { Model } from '../../onnx/ir/model.js';

/** As many as a screen holds. */
const most = 20;

export interface InspectedTap {
  readonly name: string;
  /** Where it stands, as a part of the whole. */
  readonly depth: number;
  readonly what: string;
  /** The batch included; null where a dimension is open. */
  readonly shape: Shape;
  /** null: it cannot be known. */
  readonly layout: string | null;
}

/** All of a model, for --json and for the table. */
export function inspectedTaps(model: Model): { readonly taps: readonly InspectedTap[]; readonly table: string } {
  const candidates = modelCandidates(model);
  return { taps: candidates.map(told), table: table(spread(candidates, most), candidates.length) };
}

const told = ({ value, depth, what, shape, layout }: TapCandidate): InspectedTap => ({
  name: value.name,
  depth: Number(depth.toFixed(3)),
  what,
  shape: shape.map(short),
  layout: layout ?? null,
});

/** Long names of sizes, as inference makes of strides, say nothing to people. */
const short = (d: Shape[number]): Shape[number] => (typeof d === 'string' && d.length > 12 ? null : d);

function table(shown: readonly TapCandidate[], count: number): string {
  if (shown.length === 0) return '';
  const rows = shown.map(({ value, depth, what, shape, layout }) => [
    depth.toFixed(2),
    value.name,
    formatShape(shape.map(short)),
    layout === undefined ? 'layout unknown' : `${layout}, ${layoutWords[layout]}`,
    what,
  ]);
  const widths = rows.reduce<number[]>((w, row) => row.map((cell, i) => Math.max(w[i] ?? 0, cell.length)), []);
  const lines = rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
  const more = count > shown.length ? `, ${shown.length} of ${count}; all with --json` : '';
  return `\ntaps to import (depth, name, shape, layout, what it is${more})\n${lines.join('\n')}`;
}
