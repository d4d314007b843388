// The op table: the rules of every op of ai.onnx that prognet knows, each in one family file, joined with its signature.
import { InternalError } from '../core/errors.js';
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
import type { OpDef, OpRules } from './op-def.js';
import { findSignature } from './signature.js';

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

export const table: Readonly<Record<OpName, OpRules>> = {
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

/** Rules with their signatures. Without a word on it rules hold from the version that is in force at opset 7, where ONNX Runtime begins. */
function withSignatures(domain: string, rows: Readonly<Record<string, OpRules>>): ReadonlyMap<string, OpDef> {
  return new Map(
    Object.entries(rows).map(([name, rules]) => {
      const signature = findSignature(name, domain);
      if (signature === undefined) throw new InternalError(`no schema tells of ${domain === '' ? 'ai.onnx' : domain}.${name}`);
      const { versions } = signature;
      return [name, { ...rules, signature, since: rules.since ?? versions.findLast((v) => v <= 7) ?? versions[0] ?? 1 }];
    }),
  );
}

const standard = withSignatures('', table);
const byDomain: ReadonlyMap<string, ReadonlyMap<string, OpDef>> = new Map([
  ['', standard],
  ['ai.onnx', standard],
  [microsoftDomain, withSignatures(microsoftDomain, microsoft)],
]);

/** The definition of an op, undefined when the table has no rules for it. */
export function findOp(name: string, domain = ''): OpDef | undefined {
  return byDomain.get(domain)?.get(name);
}
