// The op table: every op of ai.onnx that prognet knows, each in one family file.
import { type ActivationOp, activation } from './activation.js';
import { type AttentionOp, attention } from './attention.js';
import { type BlocksOp, blockOps } from './blocks.js';
import { type ControlOp, control } from './control-flow.js';
import { type ConvOp, conv } from './conv.js';
import { type EinsumOp, einsum } from './einsum.js';
import { type ElementwiseOp, elementwise } from './elementwise.js';
import { type GatherOp, gather } from './gather.js';
import { type GlobalPoolOp, globalPool } from './global-pool.js';
import { type GridOp, grid } from './grid.js';
import { type JoinOp, join } from './join.js';
import { type LayerNormOp, layerNorm } from './layer-norm.js';
import { type LogicOp, logic } from './logic.js';
import { type LossOp, loss } from './loss.js';
import { type MatmulOp, matmul } from './matmul.js';
import { microsoft, microsoftDomain } from './microsoft.js';
import { type MovementOp, movement } from './movement.js';
import { type NormOp, norm } from './norm.js';
import type { OpDef } from './op-def.js';
import { type PoolOp, pool } from './pool.js';
import { type QuantizeOp, quantize } from './quantize.js';
import { draws, type RandomOp } from './random.js';
import { type RecurrentOp, recurrent } from './recurrent.js';
import { type ReduceOp, reduce } from './reduce.js';
import { type ResizeOp, resize } from './resize.js';
import { type ScatterOp, scatter } from './scatter.js';
import { type SequenceOp, sequence } from './sequence.js';
import { type SignalOp, signal } from './signal.js';
import { type SliceOp, slice } from './slice.js';
import { type SourceOp, source } from './source.js';
import { type TextOp, text } from './text.js';
import { type TrigonometryOp, trigonometry } from './trigonometry.js';
import { type VisionOp, vision } from './vision.js';

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
