// The graph that computes what frozen columns feed to the newest column's laterals: data to taps, frozen weights inside.

import type { Column, Columns } from '../../model/progressive/column.js';
import { withDomains } from '../../model/progressive/imported-versions.js';
import type { ByInput } from '../../model/progressive/inputs.js';
import { NetworkLowering } from '../../model/progressive/lowering.js';
import { type FrozenWeights, frozenScope } from '../../model/progressive/weights.js';
import type { DType } from '../../onnx/core/dtype.js';
import { must } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Model } from '../../onnx/ir/model.js';
import { ops } from '../../onnx/ops/ops.js';
import { optimise } from '../../onnx/passes/optimise.js';
import { dataInputs, networkInputsFrom } from '../network-input.js';
import { joinedInput, type TapInput } from './tap-inputs.js';
import { isWhole, type KnownTaps, type Piece, piecesOf } from './tap-pieces.js';

/**
 * Data [N, ...], and taps that are there already, to what the inputs of the step lack: the other taps of each, side by side under its name;
 * frozen weights are initializers. Adapters read their sources joined, alpha going to V, so that a tap has the same bits whether what it
 * stands on is computed in the same graph or comes in.
 */
export function tapGraph(
  network: Columns,
  inputs: readonly TapInput[],
  frozen: FrozenWeights,
  dtypes: ByInput<DType>,
  known: readonly KnownTaps[] = [],
): Model {
  const g = ops({ name: 'taps', opset: network.opset });
  const taken = network.inputs.filter(({ name }) => dtypes[name] !== undefined);
  const data = dataInputs(g, taken, dtypes, 'N');
  const given = new Map(known.map((k) => [k, g.input(k.name, 'float32', ['N', ...k.shape])]));
  const join = (taps: readonly Value[]) => must(taps.length === 1 ? taps[0] : g.op('Concat', taps, { axis: 1 })[0], 'tap');
  const pieceValue = (piece: Piece<KnownTaps>): Value => {
    const { ref, source, at, width } = piece;
    if (source === undefined) return lowering.tap(ref);
    const value = must(given.get(source), source.name);
    return isWhole(piece) ? value : g.slice(value, [at], [at + width], [1]);
  };
  const lowering: NetworkLowering<Column> = new NetworkLowering<Column>({
    inputs: networkInputsFrom(g, taken, data),
    scope: ({ task }) => frozenScope(g, must(frozen.get(task), `weights of ${task}`)),
    tap: (ref) => {
      const [piece] = piecesOf([ref], [], known);
      return piece?.source && pieceValue(piece);
    },
    joined: (column, block) => {
      const input = joinedInput(column, block);
      return input && { value: join(piecesOf(input.refs, input.widths, known).map(pieceValue)), widths: input.widths };
    },
  });
  const values = inputs.map(({ refs, widths }) => {
    const missing = piecesOf(refs, widths, known).filter(({ source }) => source === undefined);
    return missing.length === 0 ? undefined : join(missing.map(pieceValue));
  });
  inputs.forEach(({ name }, i) => {
    const v = values[i];
    if (v !== undefined) g.output(values.indexOf(v) < i ? g.identity(v) : v, name);
  });
  lowering.finish(g.graph, () => optimise(g.graph, { opset: g.opset }));
  return withDomains(g.model(), network);
}
