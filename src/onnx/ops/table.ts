// The op table: every op of ai.onnx that prognet knows, each in one family file.
import { type ActivationOp, activation } from './families/activation.js';
import { type AttentionOp, attention } from './families/attention.js';
import { type BlocksOp, blockOps } from './families/blocks.js';
import { type ControlOp, control } from './families/control-flow.js';
import { type ConvOp, conv } from './families/conv.js';
import { type EinsumOp, einsum } from './families/einsum.js';
import { type ElementwiseOp, elementwise } from './families/elementwise.js';
import { type GatherOp, gather } from './families/gather.js';
import { type GlobalPoolOp, globalPool } from './families/global-pool.js';
import { type GridOp, grid } from './families/grid.js';
import { type JoinOp, join } from './families/join.js';
import { type LayerNormOp, layerNorm } from './families/layer-norm.js';
import { type LogicOp, logic } from './families/logic.js';
import { type LossOp, loss } from './families/loss.js';
import { type MatmulOp, matmul } from './families/matmul.js';
import { microsoft, microsoftDomain } from './families/microsoft.js';
import { type MovementOp, movement } from './families/movement.js';
import { type NormOp, norm } from './families/norm.js';
import { type PoolOp, pool } from './families/pool.js';
import { type QuantizeOp, quantize } from './families/quantize.js';
import { draws, type RandomOp } from './families/random.js';
import { type RecurrentOp, recurrent } from './families/recurrent.js';
import { type ReduceOp, reduce } from './families/reduce.js';
import { type ResizeOp, resize } from './families/resize.js';
import { type ScatterOp, scatter } from './families/scatter.js';
import { type SequenceOp, sequence } from './families/sequence.js';
import { type SignalOp, signal } from './families/signal.js';
import { type SliceOp, slice } from './families/slice.js';
import { type SourceOp, source } from './families/source.js';
import { type TextOp, text } from './families/text.js';
import { type TrigonometryOp, trigonometry } from './families/trigonometry.js';
import { type VisionOp, vision } from './families/vision.js';
import type { OpDef } from './op-def.js';

export type OpName =
  | ActivationOp
  | AttentionOp
  | BlocksOp
  | ControlOp
  | ConvOp
  | EinsumOp
  | ElementwiseOp
  | GatherOp
  | GlobalPoolOp
  | GridOp
  | JoinOp
  | LayerNormOp
  | LogicOp
  | LossOp
  | MatmulOp
  | MovementOp
  | NormOp
  | PoolOp
  | QuantizeOp
  | RandomOp
  | RecurrentOp
  | ReduceOp
  | ResizeOp
  | ScatterOp
  | SequenceOp
  | SignalOp
  | SliceOp
  | SourceOp
  | TextOp
  | TrigonometryOp
  | VisionOp;

export const table: Readonly<Record<OpName, OpDef>> = {
  ...activation,
  ...attention,
  ...blockOps,
  ...control,
  ...conv,
  ...einsum,
  ...elementwise,
  ...gather,
  ...globalPool,
  ...grid,
  ...join,
  ...layerNorm,
  ...logic,
  ...loss,
  ...matmul,
  ...movement,
  ...norm,
  ...pool,
  ...quantize,
  ...draws,
  ...recurrent,
  ...reduce,
  ...resize,
  ...scatter,
  ...sequence,
  ...signal,
  ...slice,
  ...source,
  ...text,
  ...trigonometry,
  ...vision,
};

const standard = new Map<string, OpDef>(Object.entries(table));
const byDomain = new Map<string, ReadonlyMap<string, OpDef>>([
  ['', standard],
  ['ai.onnx', standard],
  [microsoftDomain, new Map<string, OpDef>(Object.entries(microsoft))],
]);

/** The definition of an op, undefined when the table has none. */
export function findOp(name: string, domain = ''): OpDef | undefined {
  return byDomain.get(domain)?.get(name);
}
