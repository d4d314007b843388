// The op table: the rules of every op of ai.onnx that prognet knows, each in one family file, joined with its signature.
import { InternalError } from '../core/errors.js';
import { activation } from './families/activation.js';
import { attention } from './families/attention.js';
import { blockOps } from './families/blocks.js';
import { control } from './families/control-flow.js';
import { conv } from './families/conv.js';
import { einsum } from './families/einsum.js';
import { elementwise } from './families/elementwise.js';
import { gather } from './families/gather.js';
import { globalPool } from './families/global-pool.js';
import { grid } from './families/grid.js';
import { join } from './families/join.js';
import { layerNorm } from './families/layer-norm.js';
import { logic } from './families/logic.js';
import { loss } from './families/loss.js';
import { matmul } from './families/matmul.js';
import { microsoft } from './families/microsoft.js';
import { movement } from './families/movement.js';
import { norm } from './families/norm.js';
import { pool } from './families/pool.js';
import { quantize } from './families/quantize.js';
import { draws } from './families/random.js';
import { recurrent } from './families/recurrent.js';
import { reduce } from './families/reduce.js';
import { resize } from './families/resize.js';
import { scatter } from './families/scatter.js';
import { sequence } from './families/sequence.js';
import { signal } from './families/signal.js';
import { slice } from './families/slice.js';
import { source } from './families/source.js';
import { text } from './families/text.js';
import { trigonometry } from './families/trigonometry.js';
import { vision } from './families/vision.js';
import type { OpDef, OpRules } from './op-def.js';
import { findSignature, microsoftDomain, type OpName } from './signature.js';

/** Every op that is not deprecated. */
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
