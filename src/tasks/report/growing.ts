// How the network grows, as a part of a report: what each column adds, and what the model of its task holds and computes.
import { barsPicture } from '../../chart/bars.js';
import { count } from '../../chart/numbers.js';
import { PrognetError } from '../../onnx/core/errors.js';
import type { Section, Table } from '../../report/report.js';
import { type Growth, growthOfTask } from '../growth.js';
import type { LoadedWorkspace } from '../load-workspace.js';
import { isTrained } from '../trained-column.js';

function measured(loaded: LoadedWorkspace, tasks: readonly string[]): { readonly known: Growth[]; readonly why: string[] } {
  const [known, why]: [Growth[], string[]] = [[], []];
  for (const task of tasks) {
    try {
      known.push(growthOfTask(loaded, task));
    } catch (error) {
      if (!(error instanceof PrognetError)) throw error;
      why.push(error.statement);
    }
  }
  return { known, why };
}

/** Of all columns that are trained; what a column that is not will add stands in the first table. */
export function growthSection(loaded: LoadedWorkspace): Section {
  const { columns, frozen } = loaded;
  const { known, why } = measured(
    loaded,
    columns.tasks.filter((task) => frozen.has(task) || isTrained(loaded, task)),
  );
  const base = { id: 'growth', heading: 'How the network grows' };
  if (known.length === 0)
    return { ...base, says: ['No column is trained yet, so no model can be measured.', ...why], figures: [], tables: [] };
  const first = known[0]?.model.multiplyAdds ?? 0;
  let total = 0;
  const rows = known.map(({ task, parameters, model }) => {
    total += parameters;
    const times = first === 0 ? null : model.multiplyAdds / first;
    return [task, parameters, total, model.parameters, model.bytes, model.multiplyAdds, times, model.uncounted ?? 0];
  });
  const table: Table = {
    name: 'growth',
    caption: 'Growth, column by column',
    columns: [
      { key: 'task', name: 'task', as: 'text' },
      { key: 'parameters', name: 'parameters', as: 'count' },
      { key: 'parameters_so_far', name: 'with those before', as: 'count' },
      { key: 'model_parameters', name: 'its model', as: 'count' },
      { key: 'model_bytes', name: 'bytes', as: 'count' },
      { key: 'multiply_adds', name: 'multiply-adds', as: 'count' },
      { key: 'times_the_first', name: 'the first', as: 'times' },
      { key: 'nodes_not_counted', name: 'nodes not counted', as: 'count' },
    ],
    rows,
  };
  const open = [...new Set(known.flatMap(({ model }) => model.open ?? []))];
  // A model may hold less than its column where nothing of it is read, never a negative rest.
  const rest = ({ parameters, model }: Growth) => Math.max(0, model.parameters - parameters);
  const picture = barsPicture({
    title: 'Growth of the network',
    parts: ['the column itself', 'what else its model holds'],
    panels: [
      {
        name: 'parameters',
        unit: "of each task's model",
        rows: known.map((g) => ({
          name: g.task,
          values: [Math.min(g.parameters, g.model.parameters), rest(g)],
          said: count(g.model.parameters),
        })),
      },
      {
        name: 'bytes',
        unit: 'of its weights',
        rows: known.map(({ task, model }) => ({ name: task, values: [model.bytes], said: count(model.bytes) })),
      },
      {
        name: 'multiply-adds',
        unit: 'for one sample',
        rows: known.map(({ task, model }) => ({ name: task, values: [model.multiplyAdds], said: count(model.multiplyAdds) })),
      },
    ],
  });
  return {
    ...base,
    says: [
      'Each task has a column, and a model that export --task would write: with the blocks of earlier columns that it reads.',
      ...(open.length > 0 ? [`Multiply-adds count open sizes as 1: ${open.join(', ')}.`] : []),
      ...why,
    ],
    figures: [
      {
        name: 'growth',
        picture,
        says: "Parameters, bytes and multiply-adds of each task's model, counted in the graph that export writes: its column, the blocks of earlier columns that it reads, and what prepares its input. Multiply-adds are those of products, convolutions and recurrent layers.",
      },
    ],
    tables: [table],
  };
}
