// Questions to every trained task: samples, one of which is asked about, and the answers with the names of their classes; to several samples the
// answers to all of them as well.
import { type Answered, AnswerRows } from '../data/answer-rows.js';
import { answerLines } from '../data/step-answer-rows.js';
import { must } from '../onnx/core/errors.js';
import { DataError, type HeadPrediction, type Prediction, type TaskInfo, type Tensor, type WebNetwork } from '../web.js';
import {
  type InputShape,
  joinedRows,
  lackingOf,
  movedRow,
  ofSizes,
  partOf,
  type SampleShape,
  samplesTensors,
  withPart,
} from './input-shape.js';
import type { Opening } from './opening.js';
import { readFiles } from './read-files.js';
import type { AllAnswers, Answer, AnswerCell, Loaded } from './state.js';
import type { Store } from './store.js';
import { readTogether, type SampleRows, tableSamples } from './together.js';

/** Asks a task about samples, one after another in `rows`; the notes as the page shows them, beside the answer whose inputs they are of. */
async function ask(net: WebNetwork, { sample }: Loaded, task: TaskInfo, rows: Float32Array) {
  const { notes = [], ...said } = await net.predict(task.task, samplesTensors(rows, sample, task.inputs), { marks: true });
  return { ...said, notes: notes.map((line) => line.replace(`predict: inputs of task "${task.task}": `, '')) };
}

/** What a head answers, as rows of answers take it. */
const answered = ({ scores, probabilities, labels, names }: HeadPrediction): Answered => ({
  kind: probabilities === undefined ? 'values' : 'probabilities',
  values: probabilities ?? scores,
  ...(labels !== undefined && { labels }),
  ...(names !== undefined && { names }),
});

/** The heads of a task with what each said; one that stands alone has no name. */
const headsOf = (task: TaskInfo, said: Prediction) =>
  task.heads?.flatMap(({ name, answers }) => {
    const own = said.heads?.[name];
    return own === undefined ? [] : [{ name, answers, own }];
  }) ?? [{ name: undefined, answers: task.answers, own: said }];

/** The answer of a row in words, and how likely it is. */
function cellOf(rows: AnswerRows, row: number): AnswerCell {
  const values = rows.values[row] ?? [];
  const label = rows.label(row);
  if (label === undefined) return { answer: values.map((v) => v.toPrecision(5)).join(', '), number: '' };
  const called =
    rows.called(row) ?? (typeof label === 'number' ? String(label) : label.flatMap((v, i) => (v === 1 ? [String(i)] : [])));
  return {
    answer: [called].flat().join(' and ') || 'none',
    number: typeof label === 'number' ? `${(Math.max(...values) * 100).toFixed(1)} %` : '',
  };
}

/** The answers of a head to all samples; of a head of each step those of each sample's steps. */
function cellsOf(own: HeadPrediction): AnswerCell[][] {
  const { values, labels, ...rest } = answered(own);
  const [count = 0, steps = 1] = values.dims.length === 3 ? values.dims : [values.dims[0]];
  const flat = (t: Tensor) => (values.dims.length === 3 ? t.reshape([count * steps, ...t.dims.slice(2)]) : t);
  const rows = new AnswerRows({ ...rest, values: flat(values), ...(labels && { labels: flat(labels) }) });
  return Array.from({ length: count }, (_, row) => Array.from({ length: steps }, (_, step) => cellOf(rows, row * steps + step)));
}

async function answersOf(net: WebNetwork, network: Loaded, row: Float32Array): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const task of net.info.tasks) {
    if (!task.trained || lackingOf(row, network.sample, task.inputs).length > 0) continue;
    const said = await ask(net, network, task, row);
    const { milliseconds, provider, strange, notes } = said;
    for (const { name, answers: kind, own } of headsOf(task, said)) {
      const steps = task.each === 'step' ? cellsOf(own)[0] : undefined;
      const values = steps === undefined ? (own.probabilities ?? own.scores).numbers() : [];
      const entries = values.map((value, i) => ({ name: own.names?.[i] ?? String(i), value }));
      const best = values.reduce((at, v, i) => (v > (values[at] ?? Number.NEGATIVE_INFINITY) ? i : at), 0);
      answers.push({
        task: task.task,
        ...(name !== undefined && { head: name }),
        entries,
        ...(steps !== undefined && { steps }),
        likely: kind !== undefined,
        ...(kind === 'class' && steps === undefined ? { best } : {}),
        ...(strange !== undefined && { strange: strange[0] === true, toldBy: task.markedBy ?? 0 }),
        notes,
        milliseconds,
        provider,
      });
    }
  }
  return answers;
}

/** As `predict` answers, in the same words. */
async function allAnswersOf(net: WebNetwork, network: Loaded, asked: readonly Float32Array[]): Promise<AllAnswers[]> {
  const { sample } = network;
  const rows = new Float32Array(asked.length * sample.size);
  asked.forEach((row, i) => {
    rows.set(row, i * sample.size);
  });
  const all: AllAnswers[] = [];
  for (const task of net.info.tasks) {
    if (!task.trained || asked.some((row) => lackingOf(row, sample, task.inputs).length > 0)) continue;
    const said = await ask(net, network, task, rows);
    const { strange, notes } = said;
    const heads = headsOf(task, said).map(({ name, own }) => ({
      ...(name !== undefined && { name }),
      cells: cellsOf(own).map((steps) => ({
        answer: steps.map(({ answer }) => answer).join(' '),
        number: task.each === 'step' ? '' : (steps[0]?.number ?? ''),
      })),
    }));
    const lines = answerLines({
      ...answered(said),
      ...(said.heads && {
        heads: Object.fromEntries(Object.entries(said.heads).map(([name, own]) => [name, answered(own)])),
      }),
    });
    const csv = () => lines.csvHeader() + lines.csvRows();
    all.push({ task: task.task, csv, heads, notes, ...(strange !== undefined && { strange }) });
  }
  return all;
}

function spoken({ task, head, best, entries, strange }: Answer): string {
  const winner = best === undefined ? undefined : entries[best];
  const who = head === undefined ? task : `${task}, ${head}`;
  const said = winner === undefined ? who : `${who}: ${winner.name}, ${(winner.value * 100).toFixed(0)} percent`;
  return strange === true ? `${said}, unlike its own data` : said;
}

export class Asking {
  private turn = 0;

  constructor(
    private readonly store: Store,
    private readonly opening: Opening,
  ) {}

  /** Samples to ask about, of `sample`; none takes the question away. */
  about(
    asked: readonly Float32Array[],
    at = 0,
    notes: readonly string[] = [],
    sample: SampleShape = this.opening.loaded().network.sample,
  ): void {
    const same = asked === this.store.state.asked;
    const { network } = this.opening.loaded();
    this.store.clear('ask');
    this.store.set({
      network: { ...network, sample },
      asked,
      at,
      ...(same ? {} : { all: [], notes }),
      ...(asked.length === 0 ? { answers: [] } : {}),
    });
    void this.again(!same);
  }

  /** The sample that is asked about with another part, which may be of another size than the part before. */
  aboutPart({ name, shape }: InputShape, part: Float32Array | undefined, notes: readonly string[] = []): void {
    const { asked, at } = this.store.state;
    const before = this.opening.loaded().network.sample;
    const sample = ofSizes(before, new Map([[name, shape]]));
    const input = must(
      sample.inputs.find((own) => own.name === name),
      name,
    );
    const row = withPart(movedRow(asked[at], before, sample), sample, input, part);
    this.about(row === undefined ? [] : [row], 0, notes, sample);
  }

  /** Samples that files hold; of `input` that one, of which a network of several takes a single sample. */
  async aboutFiles(files: readonly File[], input?: InputShape): Promise<void> {
    const { sample } = this.opening.loaded().network;
    const [file] = files;
    if (file !== undefined && files.length === 1 && /\.(csv|tsv|txt)$/i.test(file.name))
      return this.aboutTable(await file.text(), file.name, input);
    if (sample.inputs.length === 1 || input === undefined || file?.name.endsWith('.npz')) {
      const found = await readTogether(files, sample);
      return this.about(found.rows, 0, [], found.sample);
    }
    const { rows, shape } = await readFiles(files, input);
    const own = ofSizes(sample, new Map([[input.name, shape]]));
    this.onePart(input.name, { rows: joinedRows(own, new Map([[input.name, rows]])), sample: own }, file?.name ?? 'files');
  }

  /** The only sample of a file, whose part is asked about beside the others. Throws DataError for several. */
  private onePart(name: string, { rows, sample }: SampleRows, where: string, notes?: readonly string[]): void {
    const [row] = rows;
    const input = must(
      sample.inputs.find((own) => own.name === name),
      name,
    );
    if (rows.length !== 1) {
      const expected = 'one, or a .npz file with an array for each input';
      throw new DataError(`${where}: holds ${rows.length} samples of "${input.name}", expected ${expected}`, { expected });
    }
    this.aboutPart(input, partOf(row, input), notes);
  }

  /** Rows of a table, as a CSV file holds them. Throws DataError naming row and column of what cannot be read. */
  aboutTable(text: string, where: string, input?: InputShape): void {
    const { info, decimal, sample } = this.opening.loaded().network;
    const found = tableSamples(text, info, sample, { where, decimal }, input);
    if (sample.inputs.length > 1 && input !== undefined) this.onePart(input.name, found, where, found.notes);
    else this.about(found.rows, 0, found.notes, found.sample);
  }

  /** Asks every trained task; a newer question overtakes an older one. @param aloud whether the answers are said */
  async again(everyRow = true, aloud = true): Promise<void> {
    const { asked, at, teaching } = this.store.state;
    const row = asked[at];
    const turn = ++this.turn;
    if (row === undefined || teaching) return;
    const { net, network } = this.opening.loaded();
    try {
      const answers = await answersOf(net, network, row);
      if (turn !== this.turn) return;
      this.store.clear('ask');
      this.store.set({ answers, ...(aloud && { said: answers.map(spoken).join('. ') }) });
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
