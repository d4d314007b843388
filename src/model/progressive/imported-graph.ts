// The graph of an imported column and where it comes from: the one place through which a column gets it. A description carries it as a data URL;
// another loader may read it from elsewhere.
import { DescriptionError, must } from '../../onnx/core/errors.js';
import type { Value } from '../../onnx/ir/graph.js';
import type { Model } from '../../onnx/ir/model.js';
import { fromBinary } from '../../onnx/serde/from-binary.js';
import type { ColumnDescription } from '../description/description.js';

/** What a description says of an imported column. */
export type ImportedDescription = NonNullable<ColumnDescription['onnx']>;

/** Gives the graph that a description names. Throws DescriptionError, ModelError. */
export type GraphLoader = (imported: ImportedDescription, task: string) => Model;

const prefix = 'data:application/onnx;base64,';

/** The graph as a description carries it. */
export function graphUrl(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return prefix + btoa(text);
}

/** False for the path of a file, which belongs to the workspace. */
export const isGraphUrl = (graph: string): boolean => graph.startsWith(prefix);

/** The bytes that a description carries. */
export const graphBytes = (graph: string): Uint8Array =>
  Uint8Array.from(atob(graph.slice(prefix.length)), (c) => c.charCodeAt(0));

/** The graph out of the description itself. */
export const carriedGraph: GraphLoader = (imported, task) => {
  if (!isGraphUrl(imported.graph)) {
    throw new DescriptionError(`task "${task}": onnx.graph names a file, which is read where the workspace is opened`, {
      got: imported.graph,
    });
  }
  let bytes: Uint8Array;
  try {
    bytes = graphBytes(imported.graph);
  } catch (cause) {
    throw new DescriptionError(`task "${task}": onnx.graph is no base64`, { cause });
  }
  return fromBinary(bytes, { file: `the imported graph of task "${task}"` });
};

/** The graph of an imported column. */
export class ImportedGraph {
  private loaded: Model | undefined;

  constructor(
    private readonly description: ImportedDescription,
    private readonly task: string,
    private readonly load: GraphLoader,
  ) {}

  /** Its inputs are the network's input, then a parameter each. Loaded when it is first asked for. Throws DescriptionError, ModelError. */
  get model(): Model {
    this.loaded ??= this.load(this.description, this.task);
    return this.loaded;
  }

  /** The value that stands for the network's input. */
  get input(): Value {
    const [input] = this.model.graph.inputs;
    return must(input, 'input');
  }

  /** Names of the values that later columns may read, one for each block. */
  get taps(): readonly string[] {
    return this.description.taps;
  }

  /** The name of the raw scores. */
  get scores(): string {
    return this.description.scores;
  }
}
