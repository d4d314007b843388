// What each epoch is measured on: the validation data with their taps, and the graph that scores them. Not the finished column's test, which runs
// the exported model (evaluate.ts).
import { joinRows } from '../data/rows.js';
import type { Head } from '../model/heads/heads.js';
import type { ParameterSpec } from '../model/nn/scope.js';
import type { Column } from '../model/progressive/column.js';
import type { ByInput } from '../model/progressive/inputs.js';
import { boundToData } from '../model/progressive/open-inputs.js';
import { must } from '../onnx/core/errors.js';
import type { Tensor } from '../onnx/core/tensor.js';
import type { Session } from '../onnx/runtime/session.js';
import { toBinary } from '../onnx/serde/to-binary.js';
import type { ValidationRecord } from './checkpoint.js';
import { countsOf } from './counts.js';
import { evalGraph, lossesOutput, scoresOutput } from './eval-graph.js';
import { evaluationSum } from './evaluate.js';
import { measuresOf } from './measures.js';
import type { KeptDtype } from './network-input.js';
import type { TrainRequest } from './request.js';
import { watchesValidation } from './settings.js';
import { stepInputs } from './step/step-graph.js';
import { ColumnTaps } from './taps/column-taps.js';
import { TappedData } from './taps/tapped-data.js';

const rowsPerEvaluation = 500;
/** Scores that are kept for measures that need all of them at one time: AUC sorts them in every epoch. */
const mostScores = 1 << 20;

/** What an epoch measured on the validation data. */
export type Validated = ValidationRecord & Required<Pick<ValidationRecord, 'measures'>>;

export class Validation {
  private readonly specs: readonly ParameterSpec[];
  private readonly head: Head;

  private constructor(
    column: Column,
    private readonly data: TappedData,
    private readonly session: Session,
    private readonly watched: boolean,
    /** Taps of its own, where its samples have other sizes than those of the training. */
    private readonly own: ColumnTaps | undefined,
  ) {
    this.specs = column.parameters.specs;
    this.head = column.head;
  }

  /** Undefined where there are no validation data. @param open the column before it was bound to the training data @param budget bytes of taps in memory */
  static async create(
    request: TrainRequest,
    open: Column,
    taps: ColumnTaps,
    dtypes: ByInput<KeptDtype>,
    budget: number,
  ): Promise<Validation | undefined> {
    const { runtime, frozen, validation, tapStorage, settings, session = {} } = request;
    if (validation === undefined) return undefined;
    const bound = boundToData(open, validation.inputs, 'validation data');
    const sizes = ({ inputs }: Column) => JSON.stringify(inputs.map(({ shape }) => shape));
    const same = sizes(bound) === sizes(request.column);
    const column = same ? request.column : bound;
    const own = same ? undefined : await ColumnTaps.create({ ...request, column, session, dtypes });
    const read = own ?? taps;
    const data = await TappedData.create(read, validation, budget, tapStorage);
    const evaluation = await runtime.createSession(toBinary(evalGraph(column, read.inputs, dtypes, frozen)), session);
    const watched = settings.earlyStopping !== undefined || watchesValidation(settings.schedule);
    return new Validation(column, data, evaluation, watched, own);
  }

  /** Loss, metric and measures under these parameters. AUC and calibration only of some thousand rows, or where a measure is watched. */
  async measure(tensors: ReadonlyMap<string, Tensor>): Promise<Validated> {
    const { head, data } = this;
    const { rows } = data;
    const sum = evaluationSum(head);
    const counts = countsOf(head);
    const kept: Tensor[] = [];
    for (let from = 0; from < rows; from += rowsPerEvaluation) {
      const feeds = await data.range(from, Math.min(from + rowsPerEvaluation, rows));
      for (const { name } of this.specs) feeds[name] = must(tensors.get(name), name);
      const results = await this.session.run(feeds);
      const scores = must(results[scoresOutput], 'scores');
      const targets = must(feeds[stepInputs.targets], 'targets');
      sum.add(scores, must(results[lossesOutput], 'losses'), targets);
      const each = scores.size / (scores.dims[0] ?? 1);
      if (this.watched || rows * each <= mostScores) kept.push(scores);
      else counts.add(scores, targets);
    }
    const { loss, metric, heads } = sum.result();
    const measures = kept.length === 0 ? counts.overall() : measuresOf(head, joinRows(kept), data.targets).overall;
    return { loss, metric, measures, ...(heads && { heads }) };
  }

  async release(): Promise<void> {
    await this.session.release();
    await this.own?.release();
    this.data.close();
  }
}
