// The op table: every op that prognet knows, each in one family file.
import { activation, type ActivationOp } from './activation.js';
import { control, type ControlOp } from './control-flow.js';
import { conv, type ConvOp } from './conv.js';
import { elementwise, type ElementwiseOp } from './elementwise.js';
import { gather, type GatherOp } from './gather.js';
import { logic, type LogicOp } from './logic.js';
import { loss, type LossOp } from './loss.js';
import { matmul, type MatmulOp } from './matmul.js';
import { movement, type MovementOp } from './movement.js';
import { norm, type NormOp } from './norm.js';
import { pool, type PoolOp } from './pool.js';
import { reduce, type ReduceOp } from './reduce.js';
import { source, type SourceOp } from './source.js';
import { trigonometry, type TrigonometryOp } from './trigonometry.js';
import type { OpDef } from './op-def.js';

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
  ...source,
  ...trigonometry,
};

const byName = new Map<string, OpDef>(Object.entries(table));

/** The definition of an ai.onnx op, undefined when the table has none. */
export function findOp(name: string): OpDef | undefined {
  return byName.get(name);
}
