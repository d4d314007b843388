// Questions to every trained task: samples, one of which is asked about, and the answers with the names of their classes.
import type { WebNetwork } from '../web.js';
import { type InputShape, samplesTensor } from './input-shape.js';
import type { Opening } from './opening.js';
import { readFiles } from './read-files.js';
import type { Answer } from './state.js';
import type { Store } from './store.js';

async function answersOf(net: WebNetwork, row: Float32Array, shape: InputShape): Promise<Answer[]> {
  const answers: Answer[] = [];
  const input = samplesTensor(row, shape);
  for (const { task, trained, answers: kind, names } of net.info.tasks) {
    if (!trained) continue;
    const { probabilities, scores, milliseconds, provider } = await net.predict(task, input);
    const values = (probabilities ?? scores).numbers();
    const entries = values.map((value, i) => ({ name: names?.[i] ?? String(i), value }));
    const best = values.reduce((at, v, i) => (v > (values[at] ?? Number.NEGATIVE_INFINITY) ? i : at), 0);
    answers.push({ task, entries, likely: kind !== undefined, ...(kind === 'class' ? { best } : {}), milliseconds, provider });
  }
  return answers;
}

function spoken({ task, best, entries }: Answer): string {
  const winner = best === undefined ? undefined : entries[best];
  return winner === undefined ? task : `${task}: ${winner.name}, ${(winner.value * 100).toFixed(0)} percent`;
}

export class Asking {
  private turn = 0;

  constructor(
    private readonly store: Store,
    private readonly opening: Opening,
  ) {}

  /** Samples to ask about; none takes the question away. */
  about(asked: readonly Float32Array[], at = 0): void {
    this.store.clear('ask');
    this.store.set({ asked, at, ...(asked.length === 0 ? { answers: [] } : {}) });
    void this.again();
  }

  async aboutFiles(files: readonly File[]): Promise<void> {
    this.about((await readFiles(files, this.opening.loaded().network.input)).rows);
  }

  /** Asks every trained task; a newer question overtakes an older one. */
  async again(): Promise<void> {
    const { asked, at, teaching } = this.store.state;
    const row = asked[at];
    const turn = ++this.turn;
    if (row === undefined || teaching) return;
    const { net, network } = this.opening.loaded();
    try {
      const answers = await answersOf(net, row, network.input);
      if (turn !== this.turn) return;
      this.store.clear('ask');
      this.store.set({ answers, said: answers.map(spoken).join('. ') });
    } catch (error) {
      // A network that made room for another has nothing to say.
      if (turn === this.turn && net === this.opening.loaded().net) this.store.problem('ask', error);
    }
  }
}
