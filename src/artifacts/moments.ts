// The optimizer's moments as parameters without gradient. TrainingSession in JavaScript keeps its moments to itself, so that a training could
// not be saved; the training model therefore moves a second copy of them, by the kernel's own formula in the kernel's own order of
// operations (onnxruntime 1.19.2, adamw.cc), which gives the same bits where products and sums are not fused, as in WebAssembly.
import { must } from '../onnx/core/errors.js';
import type { Value } from '../onnx/ir/graph.js';
import { slotName } from '../train/step/carried-state.js';
import type { ColumnGraph } from './column-graph.js';
import type { OfficialOptimizer } from './optimizer-model.js';

/** Declares the copies as parameters, in one order for every model. SGD has none. */
export function declareMoments(graph: ColumnGraph, optimizer: OfficialOptimizer): void {
  if (optimizer.kind === 'sgd') return;
  for (const { name, shape, task, role } of [...graph.parameters]) {
    if (role !== 'trainable') continue;
    for (const moment of ['momentum0', 'momentum1']) {
      const copy = slotName(name, moment);
      graph.values.set(copy, graph.g.input(copy, 'float32', shape));
      graph.parameters.push({ name: copy, shape, task, role: 'moment' });
    }
  }
}

// m = alpha m + (1 - alpha) g;  v = beta v + ((1 - beta) g) g
/** Adds the moments after this step, by name, to `graph.moved`; `gradients` by the parameter's name, clipped already. */
export function moveMoments(graph: ColumnGraph, gradients: ReadonlyMap<string, Value>, optimizer: OfficialOptimizer): void {
  if (optimizer.kind === 'sgd') return;
  const { g } = graph;
  const factors = [optimizer.beta1, optimizer.beta2].map((beta) => [beta, 1 - Math.fround(beta)] as const);
  for (const [name, gradient] of gradients) {
    const scaled = (x: Value, factor: number) => g.mul(x, factor);
    factors.forEach(([beta, rest], i) => {
      const moment = slotName(name, `momentum${i}`);
      const part = scaled(gradient, rest);
      const next = g.add(scaled(must(graph.values.get(moment), moment), beta), i === 0 ? part : g.mul(part, gradient));
      graph.moved.set(moment, next);
    });
  }
}
