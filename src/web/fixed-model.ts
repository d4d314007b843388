// An ONNX model that came without a description: it answers and no more. What its inputs and answers mean, its metadata say where prognet wrote it.
import * as z from 'zod';
import { namedSamples, type SampleRows } from '../data/samples.js';
import { jsonOrNothing } from '../formats/json-or-nothing.js';
import { featureList } from '../model/description/features.js';
import { headAnswering } from '../model/heads/heads.js';
import { namesInMetadata, outputNames } from '../model/heads/output-names.js';
import { stepSchema, takesMissing } from '../model/prepare/prepare.js';
import { type ColumnFacts, factsInMetadata } from '../model/progressive/facts.js';
import { columnKey, inputsInMetadata, preparedKey } from '../model/progressive/forms.js';
import { Answerer, predictionOf } from '../network/answerer.js';
import type { Inputs, Prediction } from '../network/growing.js';
import { UsageError } from '../onnx/core/errors.js';
import type { Graph } from '../onnx/ir/graph.js';
import type { Runtime, SessionOptions } from '../onnx/runtime/session.js';
import { fromBinary } from '../onnx/serde/from-binary.js';
import { besideSeen } from '../train/seen.js';
import { dataFacts } from './data-facts.js';
import type { InputInfo, NetworkInfo, TaskInfo } from './protocol.js';

const describedInputs = z.array(
  z.object({
    name: z.string(),
    dtype: z.enum(['float32', 'float16', 'int64', 'int32', 'uint8', 'bool']),
    // A size that has a name is open.
    shape: z.array(z.union([z.int(), z.string().transform(() => null)])),
    features: featureList.optional(),
  }),
);
const columnSchema = z.object({ prepare: z.array(stepSchema) });
/** A head alone reads no input, so that it has no steps. */
const headAlone = z.object({ blocks: z.tuple([]) });

/** What samples come in: as the metadata describe it, where the graph takes numbers and texts of a table apart, else as the graph does. */
type Taken = Pick<InputInfo, 'name' | 'dtype' | 'shape' | 'features'>;

/** The steps of every column that the model reaches and that reads the input; what cannot be read has none. */
function preparesOf(metadata: ReadonlyMap<string, string>) {
  const columns = [...metadata].filter(([key]) => key.startsWith(columnKey('')));
  return columns.flatMap(([, text]) => {
    const described = jsonOrNothing(text);
    if (headAlone.safeParse(described).success) return [];
    const column = columnSchema.safeParse(described);
    return [column.success ? column.data.prepare : []];
  });
}

export class FixedModel {
  private readonly graph: Graph;
  private readonly metadata: ReadonlyMap<string, string>;
  private readonly answerer: Answerer;
  private readonly taken: readonly Taken[];

  /** @throws ModelError for bytes that are no ONNX file */
  constructor(
    private readonly bytes: Uint8Array,
    file: string,
    runtime: Runtime,
    session: SessionOptions,
  ) {
    const { graph, metadata } = fromBinary(bytes, { file });
    this.graph = graph;
    this.metadata = metadata;
    this.answerer = new Answerer(runtime, session);
    const given = new Set(graph.initializers);
    const inputs = graph.inputs.filter((v) => !given.has(v));
    const described = describedInputs.safeParse(inputsInMetadata(metadata));
    this.taken = described.success
      ? described.data
      : inputs.map((v) => ({
          name: v.name,
          dtype: v.type?.kind === 'tensor' ? v.type.dtype : 'float32',
          shape: (v.shape ?? []).slice(1).map((d) => (typeof d === 'number' ? d : null)),
        }));
  }

  release(): Promise<void> {
    return this.answerer.release();
  }

  /** What an output gives for samples. @throws UsageError for one that the model has not */
  async predict(task: string, given: Inputs): Promise<Prediction> {
    const outputs = this.graph.outputs.map(({ name }) => name);
    if (!outputs.includes(task)) {
      const expected = outputs.join(', ');
      throw new UsageError(`unknown output "${task}", the model has: ${expected}`, { expected, got: task });
    }
    const names = this.taken.map(({ name }) => name);
    const samples = namedSamples(given, names, 'inputs');
    const notes = this.notes(task, samples);
    const prediction = await predictionOf({ task }, (asked) =>
      this.answerer.ask({ key: '', model: () => this.bytes, inputs: this.taken }, asked, samples),
    );
    return { ...prediction, ...this.names(task), ...(notes.length > 0 && { notes }) };
  }

  /** Which values are far from what the task was trained on, as a network says it. */
  private notes(task: string, samples: SampleRows): readonly string[] {
    // What is known of the data is of inputs before they are prepared.
    if (this.metadata.has(preparedKey)) return [];
    const seen = factsInMetadata(this.metadata, task).trained?.seen ?? {};
    return besideSeen(samples, this.taken, seen, `predict: inputs of task "${task}"`);
  }

  private names(task: string): { names?: readonly string[] } {
    const names = namesInMetadata(this.metadata, task);
    return names === undefined ? {} : { names };
  }

  /** For display. */
  info(): Pick<NetworkInfo, 'name' | 'input' | 'inputs' | 'tasks' | 'growable'> {
    const { graph } = this;
    const named = new Map(graph.outputs.map((v) => [v.name, v]));
    const beside = new Set(
      graph.outputs.flatMap(({ name }) => {
        const { probabilities, label, labelName, tap } = outputNames(name);
        return [probabilities, label, labelName, tap];
      }),
    );
    const tasks = graph.outputs
      .filter((v) => !beside.has(v.name))
      .map((v): TaskInfo => {
        const width = v.shape?.at(-1);
        const label = named.get(outputNames(v.name).label);
        const rank = v.shape?.length;
        const answers = label === undefined ? undefined : label.shape?.length === rank ? 'flags' : 'class';
        return {
          task: v.name,
          trained: true,
          head: headAnswering(answers),
          ...(answers !== undefined && { answers }),
          ...(rank === 3 && { each: 'step' as const }),
          outputs: typeof width === 'number' ? width : 0,
          ...this.names(v.name),
          parameters: 0,
          blocks: [],
          laterals: [],
          inputs: this.taken.map(({ name }) => name),
        };
      });
    const inputs = this.taken.map((input): InputInfo => ({ ...input, ...this.preparation(tasks, input.name) }));
    const [input = { name: '', dtype: 'float32' as const, shape: [] }] = inputs;
    return { name: graph.name, input, inputs, tasks, growable: false };
  }

  /** What becomes of the input, and what data it was; a model that takes it prepared knows of none. */
  private preparation(tasks: readonly TaskInfo[], input: string): Omit<InputInfo, keyof Taken> {
    const { metadata } = this;
    if (metadata.has(preparedKey)) return { prepared: true, fills: false };
    // Of several inputs the metadata do not say which the steps are of: bytes are not scaled, nothing may be missing.
    if (this.taken.length > 1) return { prepared: true, fills: false, ...dataFacts(this.facts(tasks), input) };
    const prepares = preparesOf(metadata);
    return {
      prepared: prepares.some((steps) => steps.length > 0),
      fills: prepares.length > 0 && prepares.every(takesMissing),
      ...dataFacts(this.facts(tasks), input),
    };
  }

  private facts(tasks: readonly TaskInfo[]): ColumnFacts[] {
    return tasks.map(({ task }) => factsInMetadata(this.metadata, task));
  }
}
