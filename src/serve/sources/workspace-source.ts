// A workspace as a place of models: its frozen tasks. What is frozen meanwhile is found, since columns are looked at each time.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Form, routable } from '../../model/progressive/forms.js';
import { seenOf } from '../../onnx/files/stored-file.js';
import { sessionModel } from '../../onnx/serde/session-model.js';
import { exportedModel } from '../../tasks/export-tasks.js';
import { frozenTasks, type LoadedWorkspace, loadWorkspace } from '../../tasks/load-workspace.js';
import { listColumns } from '../../workspace/column-store.js';
import { openWorkspace } from '../../workspace/workspace.js';
import { formsOf } from './network-forms.js';
import { type Held, type Source, servedName } from './source.js';

const stampOf = (path: string): string => {
  try {
    return seenOf(statSync(path));
  } catch {
    return '';
  }
};

export class WorkspaceSource implements Source {
  private seen = '';
  private known: readonly Held[] = [];

  constructor(
    readonly place: string,
    private readonly forms: readonly Form[],
  ) {}

  async held(): Promise<readonly Held[]> {
    const { root, description } = openWorkspace(this.place);
    const record = (task: string) => stampOf(join(root, 'columns', task, 'column.json'));
    const now = [stampOf(description), ...listColumns(root).map((task) => `${task} ${record(task)}`)].join('\n');
    if (now === this.seen) return this.known;
    const loaded = loadWorkspace(root);
    this.known = this.modelsOf(loaded, record);
    this.seen = now;
    return this.known;
  }

  private modelsOf(loaded: LoadedWorkspace, record: (task: string) => string): readonly Held[] {
    const frozen = frozenTasks(loaded);
    const described = stampOf(loaded.workspace.description);
    return formsOf(loaded.description.name, this.forms, frozen, () => routable(loaded.columns, frozen)).map(
      ({ name, form, tasks }) => ({
        name: servedName(name, this.place),
        stamp: [
          described,
          ...tasks.flatMap((task) => [...loaded.columns.column(task).foundation.map((c) => c.task), task].map(record)),
        ].join(),
        read: async () => {
          const model = exportedModel(loaded, { tasks, probabilities: true, routed: form === 'routed' });
          const { bytes, options } = sessionModel(model, { readsFiles: true });
          return { model, bytes, ...options };
        },
      }),
    );
  }
}
