// Contestant: the same step in jax-js on its wasm backend: valueAndGrad and Adam in one jitted function.
import { defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { serve } from './harness.mjs';
import { mnist } from './networks.mjs';

await init('wasm');
defaultDevice('wasm');
const steps = 10;
const batch = 128;
const { inputs, targets } = await mnist(steps * batch);

/** Uniform in +-1/sqrt(rows), as PyTorch's Linear. */
function weights(rows, columns) {
  let x = rows * 7919 + columns;
  const next = () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return (x / 2 ** 31 - 1) / Math.sqrt(rows);
  };
  return np.array(Float32Array.from({ length: rows * columns }, next)).reshape([rows, columns]);
}
const sizes = [784, 512, 512, 10];
const zeros = (shape) => np.zeros(shape);
const shapes = sizes.slice(1).flatMap((size, i) => [[sizes[i], size], [size]]);
let params = shapes.map((shape) => (shape.length === 2 ? weights(...shape) : zeros(shape)));
let moments = shapes.map(zeros);
let squares = shapes.map(zeros);

function loss([w0, b0, w1, b1, w2, b2], x, y) {
  const h0 = nn.relu(np.matmul(x, w0).add(b0));
  const h1 = nn.relu(np.matmul(h0, w1).add(b1));
  const logits = np.matmul(h1, w2).add(b2);
  return nn
    .logSoftmax(logits)
    .mul(y)
    .sum()
    .mul(-1 / batch);
}

const step = jit((p, m, v, x, y, rate, scale) => {
  const [value, grads] = valueAndGrad(loss)(tree.ref(p), x, y);
  const m1 = m.map((a, i) => a.mul(0.9).add(grads[i].ref.mul(0.1)));
  const v1 = v.map((a, i) => a.mul(0.999).add(np.square(grads[i]).mul(0.001)));
  const p1 = p.map((a, i) => a.sub(m1[i].ref.mul(rate.ref).div(np.sqrt(v1[i].ref.mul(scale.ref)).add(1e-8))));
  rate.dispose();
  scale.dispose();
  return [value, p1, m1, v1];
});

const image = (i) =>
  np.array(Float32Array.from(inputs.data.subarray(i * batch * 784, (i + 1) * batch * 784), (v) => v / 255)).reshape([batch, 784]);
const onehot = (i) => {
  const y = new Float32Array(batch * 10);
  for (let k = 0; k < batch; k++) y[k * 10 + Number(targets.data[i * batch + k])] = 1;
  return np.array(y).reshape([batch, 10]);
};
const batches = Array.from({ length: steps }, (_, i) => [image(i), onehot(i)]);
let t = 0;

await serve({ engine: 'jax-js wasm' }, async () => {
  const started = performance.now();
  let value;
  for (const [x, y] of batches) {
    t++;
    const rate = np.array(0.001 / (1 - 0.9 ** t));
    const scale = np.array(1 / (1 - 0.999 ** t));
    [value, params, moments, squares] = step(params, moments, squares, x.ref, y.ref, rate, scale);
    value = await value.data();
  }
  await params[0].ref.data();
  return { ms: (performance.now() - started) / steps, loss: value[0] };
});
