// A question to every trained task, and the answers with the names of their classes.
import { Tensor, type WebNetwork } from '../web.js';
import type { InputShape } from './input-shape.js';
import type { Answer } from './state.js';

export async function askAll(net: WebNetwork, row: Float32Array, { shape }: InputShape): Promise<Answer[]> {
  const answers: Answer[] = [];
  const input = new Tensor('float32', [1, ...shape], row);
  for (const { task, trained, head, names } of net.info.tasks) {
    if (!trained) continue;
    const { probabilities, scores, milliseconds, provider } = await net.predict(task, input);
    const values = (probabilities ?? scores).numbers();
    const entries = values.map((value, i) => ({ name: names?.[i] ?? String(i), value }));
    const best = values.reduce((at, v, i) => (v > (values[at] ?? Number.NEGATIVE_INFINITY) ? i : at), 0);
    answers.push({ task, entries, kind: head, ...(head === 'classify' ? { best } : {}), milliseconds, provider });
  }
  return answers;
}
