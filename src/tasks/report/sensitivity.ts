// The network as a part of a report: the drawing with what each block takes of which tap, the same as heat maps and as numbers. They are what
// prognet analyze kept; where it kept nothing, or what it measured is another column by now, the report says how to make it.
import { type HeatMap, heatPicture } from '../../chart/heat-map.js';
import { networkPicture, type SharedLateral, type SharedTask } from '../../chart/network.js';
import { headText, headWidth, isJudged, outputLabels } from '../../model/heads/heads.js';
import { layerText } from '../../model/nn/layer-text.js';
import type { Column } from '../../model/progressive/column.js';
import { must } from '../../onnx/core/errors.js';
import type { Cell, Figure, Section, Table } from '../../report/report.js';
import { readAnalysis, type StoredAnalysis } from '../../workspace/analysis-store.js';
import type { LoadedWorkspace } from '../load-workspace.js';
import { isTrained, trainedOf } from '../trained-column.js';

/** Columns that the drawing shows at most: more are too small to read, and stand in the heat maps. */
const mostDrawn = 10;

const placeIn = ({ blocks }: Column, into: number): string => (into === blocks.length ? 'head' : `block ${into}`);

interface Kept {
  readonly analyses: ReadonlyMap<string, StoredAnalysis>;
  /** Sentences on what is missing. */
  readonly missing: readonly string[];
}

function keptOf(loaded: LoadedWorkspace): Kept {
  const analyses = new Map<string, StoredAnalysis>();
  const [never, stale, untrained]: [string[], string[], string[]] = [[], [], []];
  for (const { task, receiving } of loaded.columns) {
    if (receiving.length === 0) continue;
    const column = loaded.frozen.get(task) ?? (isTrained(loaded, task) ? trainedOf(loaded, task) : undefined);
    if (column === undefined) {
      untrained.push(task);
      continue;
    }
    const found = readAnalysis(loaded.workspace.root, task);
    if (found === undefined) never.push(task);
    else if (found.weights !== column.record.sha256.weights) stale.push(task);
    else analyses.set(task, found);
  }
  const command = (tasks: readonly string[]) => tasks.map((task) => `prognet analyze ${task}`).join(', ');
  return {
    analyses,
    missing: [
      ...(never.length > 0 ? [`Not measured yet: ${never.join(', ')}. What measures it: ${command(never)}.`] : []),
      ...(stale.length > 0
        ? [
            `Trained anew since it was measured, so left out here: ${stale.join(', ')}. What measures it again: ${command(stale)}.`,
          ]
        : []),
      ...(untrained.length > 0 ? [`Not trained yet, so nothing can be measured: ${untrained.join(', ')}.`] : []),
    ],
  };
}

function drawn(loaded: LoadedWorkspace, column: Column, analysis: StoredAnalysis | undefined): SharedTask {
  const { task, taps, blocks, imported, tuned, head, receiving } = column;
  const shares = analysis?.taps ?? [];
  const laterals = receiving.flatMap((into) =>
    column.sourcesInto(into).map(({ column: source, block }): SharedLateral => {
      const share = shares.find((tap) => tap.into === into && tap.source === source.task)?.fisher;
      return { source: source.task, sourceBlock: block, into, gain: share ?? 0, ...(share !== undefined && { share }) };
    }),
  );
  const layers = (block: number): readonly string[] => {
    const tap = (imported ?? tuned?.base.imported)?.taps[block];
    return tap === undefined ? (blocks[block] ?? []).map(layerText) : [tap];
  };
  const names = outputLabels(head);
  return {
    task,
    trained: loaded.frozen.has(task) || isTrained(loaded, task),
    blocks: taps.map((shape, block) => ({ layers: layers(block), shape })),
    ...(isJudged(head) ? { head: headText(head), outputs: headWidth(head) } : { head: 'no head' }),
    ...(names !== undefined && { names }),
    laterals,
    own: new Map(shares.filter((tap) => tap.source === task).map((tap) => [tap.into, tap.fisher])),
  };
}

function heatOf(loaded: LoadedWorkspace, analyses: Kept['analyses'], what: 'fisher' | 'perturbation', title: string): HeatMap {
  const joints = [...analyses].flatMap(([task, { taps }]) =>
    [...new Set(taps.map(({ into }) => into))].map((into) => ({ task, into, taps: taps.filter((tap) => tap.into === into) })),
  );
  const sources = loaded.columns.tasks.filter((source) =>
    joints.some(({ task, taps }) => source !== task && taps.some((tap) => tap.source === source)),
  );
  return {
    title,
    rowsAre: 'blocks that read',
    columnsAre: 'columns that are read',
    rows: joints.map(({ task, into }) => `${task}, ${placeIn(loaded.columns.column(task), into)}`),
    columns: ['itself', ...sources],
    cells: joints.map(({ task, taps }) =>
      [task, ...sources].map((source, i) => {
        const share = i > 0 && source === task ? undefined : taps.find((tap) => tap.source === source)?.[what];
        return share === undefined ? undefined : { value: share, said: share.toFixed(3) };
      }),
    ),
    scale: { most: 1 },
    unit: 'share of what flows into the block',
  };
}

function sensitivityTable(loaded: LoadedWorkspace, analyses: Kept['analyses']): Table {
  const rows = [...analyses].flatMap(([task, { taps, value, metric }]) =>
    taps.map((tap): Cell[] => [
      task,
      placeIn(loaded.columns.column(task), tap.into),
      tap.source === task ? 'itself' : tap.source,
      tap.tap,
      tap.fisher,
      tap.perturbation,
      tap.halvingVariance ?? null,
      tap.alpha ?? null,
      tap.gain ?? null,
      metric,
      value,
      tap.without ?? null,
      tap.without === undefined ? null : tap.without - value,
    ]),
  );
  return {
    name: 'sensitivity',
    caption: 'What each block takes of which tap',
    columns: [
      { key: 'task', name: 'task', as: 'text' },
      { key: 'into', name: 'into', as: 'text' },
      { key: 'reads', name: 'reads', as: 'text' },
      { key: 'tap', name: 'tap', as: 'count' },
      { key: 'fisher', name: 'fisher', as: 'share' },
      { key: 'perturbation', name: 'perturbation', as: 'share' },
      { key: 'half_at', name: 'half at', as: 'short' },
      { key: 'alpha', name: 'alpha', as: 'short' },
      { key: 'gain', name: 'gain', as: 'share' },
      { key: 'metric', name: 'metric', as: 'text' },
      { key: 'value', name: 'with all', as: 'measure' },
      { key: 'without', name: 'without it', as: 'measure' },
      { key: 'change', name: 'change', as: 'change' },
    ],
    rows,
  };
}

/** Of several heads what each loses without a lateral: the table above has the first of them. */
function headsTable(loaded: LoadedWorkspace, analyses: Kept['analyses']): Table | undefined {
  const rows = [...analyses].flatMap(([task, { taps, heads = {} }]) =>
    taps.flatMap(({ into, source, tap, withoutByHead = {} }) =>
      Object.entries(withoutByHead).map(([name, without]): Cell[] => {
        const { metric, value } = must(heads[name], name);
        return [task, placeIn(loaded.columns.column(task), into), source, tap, name, metric, value, without, without - value];
      }),
    ),
  );
  if (rows.length === 0) return undefined;
  return {
    name: 'without',
    caption: 'What each head loses without a lateral',
    columns: [
      { key: 'task', name: 'task', as: 'text' },
      { key: 'into', name: 'into', as: 'text' },
      { key: 'reads', name: 'reads', as: 'text' },
      { key: 'tap', name: 'tap', as: 'count' },
      { key: 'head', name: 'head', as: 'text' },
      { key: 'metric', name: 'metric', as: 'text' },
      { key: 'value', name: 'with all', as: 'measure' },
      { key: 'without', name: 'without it', as: 'measure' },
      { key: 'change', name: 'change', as: 'change' },
    ],
    rows,
  };
}

function measuredFigures(loaded: LoadedWorkspace, analyses: Kept['analyses']): Figure[] {
  const on = [...analyses].map(([task, { rows }]) => `${task} on ${rows} test samples`).join(', ');
  return [
    {
      name: 'sensitivity-fisher',
      picture: heatPicture(heatOf(loaded, analyses, 'fisher', 'Average Fisher sensitivity')),
      says: `How much the predicted distribution moves with each tap, as a share of what flows into the block. Each row adds up to 1. Measured by prognet analyze: ${on}.`,
    },
    {
      name: 'sensitivity-perturbation',
      picture: heatPicture(heatOf(loaded, analyses, 'perturbation', 'Average perturbation sensitivity')),
      says: `How soon noise on each tap takes half of the performance away, as a share of what flows into the block. Each row adds up to 1. Measured by prognet analyze: ${on}.`,
    },
  ];
}

/** The drawing, and what is known of its laterals. */
export function networkSection(loaded: LoadedWorkspace): Section {
  const columns = [...loaded.columns];
  const base = { id: 'network', heading: 'The network' };
  if (columns.length === 0) return { ...base, says: ['There is nothing to draw yet.'], figures: [], tables: [] };
  const { analyses, missing } = keptOf(loaded);
  const laterals = columns.some(({ receiving }) => receiving.length > 0);
  const measured = analyses.size > 0;
  const tuning = columns.flatMap(({ task, tuned }) =>
    tuned === undefined
      ? []
      : [`${task} tunes weights of ${tuned.base.task} by low-rank updates: its blocks are those of ${tuned.base.task}.`],
  );
  const says = [
    laterals
      ? 'Columns stand side by side in the order of learning, blocks upwards. Lines between columns are laterals: what a block reads of an earlier column.'
      : 'Columns stand side by side in the order of learning, blocks upwards. No column reads an earlier one by laterals.',
    ...(columns.length > mostDrawn ? [`The drawing has the first ${mostDrawn} of ${columns.length} columns.`] : []),
    ...missing,
    ...tuning,
  ];
  const input = loaded.columns.inputs.map(({ name, shape }) => `${name} ${shape.join(' × ')}`).join(', ');
  const drawing: Figure = {
    name: 'network',
    alone: true,
    picture: networkPicture({
      title: `The network ${loaded.description.name}`,
      tasks: columns.slice(0, mostDrawn).map((column) => drawn(loaded, column, analyses.get(column.task))),
      input,
      unit: 'by Fisher sensitivity',
    }),
    says: measured
      ? 'The wider and the stronger its colour, the larger the share of what flows into the block, by average Fisher sensitivity. Shares beside the lines are those of the column itself. Dotted laterals are not measured, dashed boxes not trained.'
      : 'Drawn from the description. Dotted laterals are not measured, dashed boxes not trained.',
  };
  if (!measured) return { ...base, says, figures: [drawing], tables: [] };
  const correlations = [...analyses].flatMap(([task, { correlation }]) =>
    correlation === undefined ? [] : [`${task} ${correlation.toFixed(2)}`],
  );
  if (correlations.length > 0) says.push(`Rank correlation of both sensitivities: ${correlations.join(', ')}.`);
  return {
    ...base,
    says,
    figures: [drawing, ...measuredFigures(loaded, analyses)],
    tables: [sensitivityTable(loaded, analyses), headsTable(loaded, analyses)].filter((table) => table !== undefined),
  };
}
