// Values whose rank changes from one iteration to the next, or from branch to branch, have no gradient: said in one line.
import { expect, it } from 'vitest';
import { grad } from '../../../src/onnx/autodiff/grad.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { tensorType } from '../../../src/onnx/ir/types.js';
import { ops } from '../../../src/onnx/ops/ops.js';

it('a scalar that a Loop makes a vector', () => {
  const g = ops({ opset: 17 });
  const [trips, cond, y] = [g.input('trips', 'int64', []), g.input('cond', 'bool', []), g.input('y', 'float32', [])];
  const body = g.subgraph('body');
  body.input('i', 'int64', []);
  const go = body.input('go', 'bool', []);
  const inside = body.input('inside', 'float32', [1]);
  body.output(body.identity(go), 'goes');
  body.output(body.add(inside, body.constant(Tensor.from('float32', [1]))), 'next');
  const [out] = g.op('Loop', [trips, cond, y], { body: body.graph }, 1);
  if (out === undefined) throw new Error('no output');
  out.type = tensorType('float32', [1]);
  g.output(out, 'out');
  for (const mode of ['jvp', 'vjp'] as const)
    expect(() => grad(g.model(), { of: 'out', by: ['y'], mode }), mode).toThrow(
      /no gradient is known of a value whose rank changes/,
    );
});
