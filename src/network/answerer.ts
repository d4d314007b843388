// Answers of models that are asked again and again: a session for each model, made when it is first asked, the least used given back when there
// are too many, and one run at a time.

import { domainIn, strangeRows } from '../data/domain.js';
import type { SampleRows } from '../data/samples.js';
import { type Head, isSeveral, outputLabels } from '../model/heads/heads.js';
import { outputNames } from '../model/heads/output-names.js';
import { outputsBegin } from '../model/heads/several.js';
import { must } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { Runtime, Session, SessionOptions } from '../onnx/runtime/session.js';
import type { TakenInputs } from '../train/network-input.js';
import { allOutputsOf } from '../train/outputs.js';
import type { HeadPrediction, Prediction, PredictOptions } from './growing.js';

/** A model and the key under which its session is kept. */
export interface Asked {
  readonly key: string;
  /** The bytes of the ONNX file; called when there is no session for the key. */
  readonly model: () => Uint8Array;
  /** What the model takes. */
  readonly inputs: TakenInputs;
}

export interface Answers {
  readonly outputs: ReadonlyMap<string, Tensor>;
  readonly milliseconds: number;
  readonly provider: string;
}

/** A task whose outputs are named as export names them; of several heads with the joined scores. */
interface AskedTask {
  readonly task: string;
  /** Absent: one. */
  readonly head?: Head;
}

/** What a task's model answers. */
export async function predictionOf(
  { task, head }: AskedTask,
  ask: (names: readonly string[]) => Promise<Answers>,
): Promise<Prediction> {
  const several = head !== undefined && isSeveral(head) ? head.heads : [];
  const begins = [task, ...several.map(({ name }) => outputsBegin(task, name))];
  const asked = begins.map(outputNames).flatMap((names) => [names.scores, names.probabilities, names.label, names.tap]);
  const { outputs, milliseconds, provider } = await ask(asked);
  const answer = (begin: string): HeadPrediction => {
    const names = outputNames(begin);
    const [probabilities, labels] = [outputs.get(names.probabilities), outputs.get(names.label)];
    const scores = must(outputs.get(begin), begin);
    return { scores, ...(probabilities !== undefined && { probabilities }), ...(labels !== undefined && { labels }) };
  };
  const tap = outputs.get(outputNames(task).tap);
  const heads = several.map(({ name, head: own }) => {
    const names = outputLabels(own);
    return [name, { ...answer(outputsBegin(task, name)), ...(names !== undefined && { names }) }] as const;
  });
  return {
    ...answer(task),
    ...(heads.length > 0 && { heads: Object.fromEntries(heads) }),
    ...(tap !== undefined && { tap }),
    milliseconds,
    provider,
  };
}

/** The same with what is asked for beside it, of a column that `domain` says of what its own samples look like to it. */
export async function markedPrediction(
  task: AskedTask,
  { tap = false, marks = false, domain: text }: PredictOptions & { readonly domain?: string },
  ask: (names: readonly string[], tap: boolean) => Promise<Answers>,
): Promise<Prediction> {
  const domain = marks ? domainIn(text) : undefined;
  const { tap: last, ...answer } = await predictionOf(task, (names) => ask(names, tap || domain !== undefined));
  if (last === undefined) return answer;
  const strange = domain && strangeRows(domain, { scores: answer.scores, tap: last });
  return { ...answer, ...(tap && { tap: last }), ...(strange !== undefined && { strange }) };
}

/** Sessions kept at most: each holds its model's weights. */
const mostSessions = 16;

export class Answerer {
  /** Least recently used first. */
  private readonly sessions = new Map<string, Session>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly runtime: Runtime,
    private readonly options: SessionOptions = {},
  ) {}

  /** The outputs of `names` that the model has, joined over all rows of `inputs`. */
  ask(asked: Asked, names: readonly string[], inputs: SampleRows, onRows?: () => void): Promise<Answers> {
    return this.inTurn(async () => {
      const session = await this.session(asked);
      const own = names.filter((name) => session.outputNames.includes(name));
      const started = performance.now();
      const outputs = await allOutputsOf(session, own, asked.inputs, inputs, onRows);
      return { outputs, milliseconds: performance.now() - started, provider: session.provider };
    });
  }

  /** Gives every session back; the next question makes them anew. */
  release(): Promise<void> {
    return this.inTurn(async () => {
      const all = [...this.sessions.values()];
      this.sessions.clear();
      for (const session of all) await session.release();
    });
  }

  private async session({ key, model }: Asked): Promise<Session> {
    const known = this.sessions.get(key);
    if (known !== undefined) {
      this.sessions.delete(key);
      this.sessions.set(key, known);
      return known;
    }
    if (this.sessions.size >= mostSessions) {
      const [oldest, session] = must([...this.sessions][0], 'session');
      this.sessions.delete(oldest);
      await session.release();
    }
    const made = await this.runtime.createSession(model(), this.options);
    this.sessions.set(key, made);
    return made;
  }

  /** A session runs one graph at a time, and is not given back while it runs. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const now = this.last.then(work);
    this.last = now.catch(() => {});
    return now;
  }
}
