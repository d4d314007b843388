// How a network grows: of each trained column its parameters, and of the model that answers its task all that it holds and computes.
import { taskModel } from '../model/progressive/forms.js';
import { elementCount } from '../onnx/core/shape.js';
import { multiplyAdds } from '../onnx/passes/multiply-adds.js';
import { type LoadedWorkspace, weightsOf } from './load-workspace.js';
import { isTrained, withTrained } from './trained-column.js';

/** A trained column and its task's model. */
export interface Growth {
  /** The task. */
  readonly task: string;
  /** Parameters of the column. */
  readonly parameters: number;
  /** What `export --task` writes. */
  readonly model: {
    /** Its parameters, those of earlier columns that it reads included. */
    readonly parameters: number;
    /** Bytes of its weights. */
    readonly bytes: number;
    /** Multiplications with additions for one sample: products, convolutions, recurrent layers. */
    readonly multiplyAdds: number;
    /** Names of the sizes that are open, which count as 1; left out where none is. */
    readonly open?: readonly string[];
    /** Nodes of such ops whose sizes are not known, which are not counted; left out where there is none. */
    readonly uncounted?: number;
  };
}

/** Of every trained column, in their order. Throws as `growthOfTask`. */
export function growthOf(opened: LoadedWorkspace): Growth[] {
  const trained = opened.columns.tasks.filter((task) => opened.frozen.has(task) || isTrained(opened, task));
  return trained.map((task) => growthOfTask(opened, task));
}

/** Of one that is trained. Throws WorkspaceError where the description is another than it was trained from. */
export function growthOfTask(opened: LoadedWorkspace, task: string): Growth {
  const loaded = withTrained(opened, task);
  const model = taskModel(loaded.columns, weightsOf(loaded), { tasks: [task] });
  const { graph, opset } = model;
  const named = graph.inputs.flatMap(({ shape }) => shape?.filter((dim) => typeof dim === 'string') ?? []);
  const { count, unknown } = multiplyAdds(graph, Object.fromEntries(named.map((name) => [name, 1])), opset);
  const open = [
    ...new Set(loaded.columns.column(task).inputs.flatMap(({ shape }) => shape.filter((d) => typeof d === 'string'))),
  ];
  const weights = graph.initializers.flatMap(({ constant }) => constant ?? []);
  return {
    task,
    parameters: loaded.columns.column(task).parameters.count,
    model: {
      parameters: weights.reduce((n, { dims }) => n + elementCount(dims), 0),
      bytes: weights.reduce((n, { byteLength }) => n + byteLength, 0),
      multiplyAdds: count,
      ...(open.length > 0 && { open }),
      ...(unknown > 0 && { uncounted: unknown }),
    },
  };
}
