// The op table: every op that prognet knows, each in one family file.
import { type ActivationOp, activation } from './activation.js';
import { type ControlOp, control } from './control-flow.js';
import { type ConvOp, conv } from './conv.js';
import { type ElementwiseOp, elementwise } from './elementwise.js';
import { type GatherOp, gather } from './gather.js';
import { type LogicOp, logic } from './logic.js';
import { type LossOp, loss } from './loss.js';
import { type MatmulOp, matmul } from './matmul.js';
import { type MovementOp, movement } from './movement.js';
import { type NormOp, norm } from './norm.js';
import type { OpDef } from './op-def.js';
import { type PoolOp, pool } from './pool.js';
import { type ReduceOp, reduce } from './reduce.js';
import { type SliceOp, slice } from './slice.js';
import { type SourceOp, source } from './source.js';
import { type TrigonometryOp, trigonometry } from './trigonometry.js';

export type OpName =
  | ActivationOp
  | ControlOp
  | ConvOp
  | ElementwiseOp
  | GatherOp
  | LogicOp
  | LossOp
  | MatmulOp
  | MovementOp
  | NormOp
  | PoolOp
  | ReduceOp
  | SliceOp
  | SourceOp
  | TrigonometryOp;

export const table: Readonly<Record<OpName, OpDef>> = {
  ...activation,
  ...control,
  ...conv,
  ...elementwise,
  ...gather,
  ...logic,
  ...loss,
  ...matmul,
  ...movement,
  ...norm,
  ...pool,
  ...reduce,
  ...slice,
  ...source,
  ...trigonometry,
};

const byName = new Map<string, OpDef>(Object.entries(table));

/** The definition of an ai.onnx op, undefined when the table has none. */
export function findOp(name: string): OpDef | undefined {
  return byName.get(name);
}
