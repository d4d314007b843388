// What of a description decides the graph of a frozen column, as stable text, and how two such texts differ.
import { PrognetError, UsageError } from '../../onnx/core/errors.js';
import { headGraph } from '../heads/heads.js';
import { suggest } from '../nn/schema.js';
import type { Description, Layer } from './description.js';
import { differences } from './differences.js';
import { inputsTelling } from './inputs-read.js';
import { show } from './issues.js';
import { namedTaps } from './resolve-laterals.js';

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON with sorted keys and no blanks; undefined fields are left out, and -0 is 0, as in the text of every column that is frozen already. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => {
    if (!isObject(v)) return v;
    return Object.fromEntries(
      Object.keys(v)
        .sort()
        .map((k) => [k, v[k]]),
    );
  });
}

/** A layer without what only its start needs. */
function layerGraph(layer: Layer): unknown {
  if ('layers' in layer && typeof layer.layers !== 'number') return { ...layer, layers: layer.layers.map(layerGraph) };
  return 'init' in layer ? { ...layer, init: undefined } : layer;
}

/**
 * Blocks, head, laterals, preparation and the inputs that it reads: all that a frozen column's weights must fit. Left out is what only its training
 * needed (initialisers, losses and their weights, the start of alpha, data, train), so that it may change afterwards.
 * @throws UsageError when there is no such task
 */
export function canonical(description: Description, task: string): string {
  const column = description.columns.find((c) => c.task === task);
  if (column === undefined) {
    throw new UsageError(
      `unknown task ${show(task)}, ${suggest(
        task,
        description.columns.map((c) => c.task),
      )}`,
      { got: task },
    );
  }
  const { laterals } = column;
  return canonicalJson({
    // a tokenizer is told by its hash
    inputs: inputsTelling(description, column).map((input) => ({ ...input, tokenizer: undefined })),
    prepare: column.prepare,
    blocks: column.blocks.map((block) => block.map(layerGraph)),
    head: headGraph(column.head),
    onnx: column.onnx,
    tune: column.tune,
    laterals: {
      ...laterals,
      ...(laterals.kind === 'adapter' && { alpha: undefined }),
      ...(laterals.kind !== 'none' && { taps: namedTaps(laterals.taps, description.columns) }),
    },
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PrognetError('a canonical column is not valid JSON, expected what canonical() gave', { cause });
  }
}

/** What differs of a column frozen with `was`, value by value: `blocks[1][1].units: 64, frozen with 128`. Empty when nothing does. */
export function describeDifference(was: string, is: string): string {
  return differences(parse(was), parse(is), 'frozen') ?? '';
}
