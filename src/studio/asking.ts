// Questions to every trained task: samples, one of which is asked about, and the answers with the names of their classes; to several samples the
// answers to all of them as well.
import { type Answered, AnswerRows } from '../data/answer-rows.js';
import { tableRows, type WebNetwork } from '../web.js';
import { samplesTensor } from './input-shape.js';
import type { Opening } from './opening.js';
import { maxRows, readFiles } from './read-files.js';
import type { AllAnswers, Answer, Loaded } from './state.js';
import type { Store } from './store.js';

/** Asks a task about samples, one after another in `rows`; the notes as the page shows them, beside the answer whose inputs they are of. */
async function ask(net: WebNetwork, { input }: Loaded, task: string, rows: Float32Array) {
  const { notes = [], ...said } = await net.predict(task, samplesTensor(rows, input), { marks: true });
  return { ...said, notes: notes.map((line) => line.replace(`predict: inputs of task "${task}": `, '')) };
}

async function answersOf(net: WebNetwork, network: Loaded, row: Float32Array): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const { task, trained, answers: kind, names, markedBy = 0 } of net.info.tasks) {
    if (!trained) continue;
    const { probabilities, scores, milliseconds, provider, strange, notes } = await ask(net, network, task, row);
    const values = (probabilities ?? scores).numbers();
    const entries = values.map((value, i) => ({ name: names?.[i] ?? String(i), value }));
    const best = values.reduce((at, v, i) => (v > (values[at] ?? Number.NEGATIVE_INFINITY) ? i : at), 0);
    answers.push({
      task,
      entries,
      likely: kind !== undefined,
      ...(kind === 'class' ? { best } : {}),
      ...(strange !== undefined && { strange: strange[0] === true, toldBy: markedBy }),
      notes,
      milliseconds,
      provider,
    });
  }
  return answers;
}

/** As `predict` answers, in the same words. */
async function allAnswersOf(net: WebNetwork, network: Loaded, asked: readonly Float32Array[]): Promise<AllAnswers[]> {
  const rows = new Float32Array(asked.length * network.input.size);
  asked.forEach((row, i) => {
    rows.set(row, i * network.input.size);
  });
  const all: AllAnswers[] = [];
  for (const { task, trained, names } of net.info.tasks) {
    if (!trained) continue;
    const { probabilities, scores, labels, strange, notes } = await ask(net, network, task, rows);
    const answered: Answered = {
      kind: probabilities === undefined ? 'values' : 'probabilities',
      values: probabilities ?? scores,
      ...(labels !== undefined && { labels }),
      ...(names !== undefined && { names }),
    };
    all.push({ task, rows: new AnswerRows(answered), notes, ...(strange !== undefined && { strange }) });
  }
  return all;
}

function spoken({ task, best, entries, strange }: Answer): string {
  const winner = best === undefined ? undefined : entries[best];
  const said = winner === undefined ? task : `${task}: ${winner.name}, ${(winner.value * 100).toFixed(0)} percent`;
  return strange === true ? `${said}, unlike its own data` : said;
}

export class Asking {
  private turn = 0;

  constructor(
    private readonly store: Store,
    private readonly opening: Opening,
  ) {}

  /** Samples to ask about; none takes the question away. */
  about(asked: readonly Float32Array[], at = 0, notes: readonly string[] = []): void {
    const same = asked === this.store.state.asked;
    this.store.clear('ask');
    this.store.set({ asked, at, ...(same ? {} : { all: [], notes }), ...(asked.length === 0 ? { answers: [] } : {}) });
    void this.again(!same);
  }

  async aboutFiles(files: readonly File[]): Promise<void> {
    const { network } = this.opening.loaded();
    const [file] = files;
    if (file !== undefined && files.length === 1 && /\.(csv|tsv|txt)$/i.test(file.name))
      return this.aboutTable(await file.text(), file.name);
    this.about((await readFiles(files, network.input)).rows);
  }

  /** Rows of a table, as a CSV file holds them. Throws DataError naming row and column of what cannot be read. */
  aboutTable(text: string, where: string): void {
    const { info, decimal, input } = this.opening.loaded().network;
    const { inputs, notes } = tableRows(text, info.input, { where, decimal });
    const numbers = inputs.numbers();
    const count = numbers.length / input.size;
    const rows = Array.from({ length: Math.min(count, maxRows) }, (_, i) =>
      Float32Array.from(numbers.slice(i * input.size, (i + 1) * input.size)),
    );
    const left = count > maxRows ? [`${where}: the first ${maxRows} of ${count} rows; prognet predict takes all`] : [];
    this.about(rows, 0, [...notes, ...left]);
  }

  /** Asks every trained task; a newer question overtakes an older one. */
  async again(everyRow = true): Promise<void> {
    const { asked, at, teaching } = this.store.state;
    const row = asked[at];
    const turn = ++this.turn;
    if (row === undefined || teaching) return;
    const { net, network } = this.opening.loaded();
    try {
      const answers = await answersOf(net, network, row);
      if (turn !== this.turn) return;
      this.store.clear('ask');
      this.store.set({ answers, said: answers.map(spoken).join('. ') });
      if (asked.length < 2 || (!everyRow && this.store.state.all.length > 0)) return;
      const all = await allAnswersOf(net, network, asked);
      if (asked === this.store.state.asked) this.store.set({ all });
    } catch (error) {
      // A network that made room for another has nothing to say.
      if (turn !== this.turn || net !== this.opening.loaded().net) return;
      this.store.set({ answers: [], all: [] });
      this.store.problem('ask', error);
    }
  }
}
