// What tasks say of their samples, as a compressed column learns it: scores of every head on one scale, so that tasks count alike.
import type { Samples } from '../../data/samples.js';
import { isCounted } from '../../model/heads/each-step.js';
import {
  answersOf,
  eachOf,
  type Head,
  headWidth,
  isSeveral,
  placesOf,
  type SingleHead,
  targetKind,
} from '../../model/heads/heads.js';
import { must } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';

/** A task on its way into the compressed column. */
export interface Teacher {
  readonly head: Head;
  /** Training samples of the task. */
  readonly inputs: Samples;
  /** Of a head of each step, targets of the samples: steps without one teach nothing. */
  readonly targets: Tensor;
  /** What its column says of them, raw, float32 [rows, width]; of a head of each step [rows, T, width]. */
  readonly scores: Tensor;
}

/** What is learned of a task. */
export interface Lesson {
  /** In the shape of the scores; NaN of steps that do not count. */
  readonly targets: Tensor;
  /** What each score is in the task's own units. */
  readonly scale: readonly number[];
}

/** Scores of one head among those of its task. */
interface Part {
  readonly from: number;
  readonly to: number;
  /** Whether scores mean the same whatever is added to all of them, as those of classes do. */
  readonly free: boolean;
}

function partsOf(head: Head): readonly Part[] {
  const free = (own: SingleHead) => answersOf(own)?.each === 'class';
  if (!isSeveral(head)) return [{ from: 0, to: headWidth(head), free: free(head) }];
  return placesOf(head).map(({ head: own, scores }) => ({ ...scores, free: free(own) }));
}

/** Scores with a root mean square of 1, each head's by itself. */
export function lessonOf({ head, scores, targets }: Teacher): Lesson {
  const width = headWidth(head);
  const values = scores.numbers();
  const rows = values.length / width;
  const counts = countedOf(head, targets, rows);
  const out = new Float32Array(values.length).fill(Number.NaN);
  const scale: number[] = [];
  for (const { from, to, free } of partsOf(head)) {
    const own = Array.from({ length: rows }, (_, i) => {
      const row = values.slice(i * width + from, i * width + to);
      const off = free ? row.reduce((a, b) => a + b, 0) / row.length : 0;
      return row.map((v) => v - off);
    });
    const used = own.filter((_, i) => counts(i)).flat();
    const by = Math.sqrt(used.reduce((sum, v) => sum + v * v, 0) / used.length) || 1;
    for (const [i, row] of own.entries())
      if (counts(i))
        out.set(
          row.map((v) => v / by),
          i * width + from,
        );
    for (let j = from; j < to; j++) scale.push(by);
  }
  return { targets: new Tensor('float32', scores.dims, out), scale };
}

/** Whether a sample, or a step, counts. */
function countedOf(head: Head, targets: Tensor, rows: number): (row: number) => boolean {
  if (eachOf(head) === undefined) return () => true;
  const kind = targetKind(head);
  const each = targets.size / rows;
  return (row) => isCounted(kind, must(targets.data[row * each], 'target') as number | bigint);
}
