// Files as places of models: .onnx files, .prognet files, and folders of them or of <name>/<version>/model.onnx, as model repositories are laid out.
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Form, routable } from '../../model/progressive/forms.js';
import { readNetwork } from '../../network/read-network.js';
import { fileError } from '../../onnx/files/file-error.js';
import { readWhole } from '../../onnx/files/read-file.js';
import { seenOf } from '../../onnx/files/stored-file.js';
import { loadModel } from '../../onnx/serde/external-data.js';
import { sessionModel } from '../../onnx/serde/session-model.js';
import { formsOf } from './network-forms.js';
import { type Held, type Source, servedName } from './source.js';

function seen(path: string): string {
  try {
    return seenOf(statSync(path));
  } catch (cause) {
    throw fileError('read', path, cause);
  }
}

/** A model of an ONNX file; weights beside it are of the file's folder. */
function heldFile(path: string, name: string, place: string): Held {
  return {
    name: servedName(name, place),
    stamp: seen(path),
    read: async () => ({
      model: loadModel(path, undefined, 'all'),
      bytes: readWhole(path),
      weightsFolder: dirname(realpathSync(path)),
    }),
  };
}

export const onnxSource = (place: string): Source => ({
  place,
  held: async () => [heldFile(place, basename(place).replace(/\.onnx$/i, ''), place)],
});

export class NetworkSource implements Source {
  private seen = '';
  private known: readonly Held[] = [];

  constructor(
    readonly place: string,
    private readonly forms: readonly Form[],
  ) {}

  async held(): Promise<readonly Held[]> {
    const stamp = seen(this.place);
    if (stamp === this.seen) return this.known;
    const network = await readNetwork(readWhole(this.place), this.place);
    const trained = network.tasks.filter((task) => network.trained(task));
    const all = formsOf(network.description.name, this.forms, trained, () => routable(network.columns, trained));
    this.known = all.map(({ name, form, tasks }) => ({
      name: servedName(name, this.place),
      stamp,
      read: async () => {
        const [task = ''] = tasks;
        const model = network.model({
          ...(form === 'task' ? { task } : { all: true }),
          probabilities: true,
          routed: form === 'routed',
        });
        const { bytes, options } = sessionModel(model, { readsFiles: true });
        return { model, bytes, ...options };
      },
    }));
    this.seen = stamp;
    return this.known;
  }
}

/** The latest version of <name>/<version>/model.onnx. */
function latest(folder: string): string | undefined {
  const versions = readdirSync(folder).filter((name) => /^[1-9]\d*$/.test(name));
  const [version] = versions.map(Number).sort((a, b) => b - a);
  if (version === undefined) return undefined;
  const path = join(folder, String(version), 'model.onnx');
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? path : undefined;
}

export class FolderSource implements Source {
  private readonly networks = new Map<string, NetworkSource>();

  constructor(
    readonly place: string,
    private readonly forms: readonly Form[],
  ) {}

  async held(): Promise<readonly Held[]> {
    const all: Held[] = [];
    for (const entry of this.entries()) {
      const path = join(this.place, entry);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat?.isDirectory()) {
        const model = latest(path);
        if (model !== undefined) all.push(heldFile(model, entry, this.place));
      } else if (/\.onnx$/i.test(entry)) all.push(...(await onnxSource(path).held()));
      else if (/\.prognet$/i.test(entry)) {
        const network = this.networks.get(path) ?? new NetworkSource(path, this.forms);
        this.networks.set(path, network);
        all.push(...(await network.held()));
      }
    }
    return all;
  }

  private entries(): readonly string[] {
    try {
      return readdirSync(this.place).filter((name) => !name.startsWith('.'));
    } catch (cause) {
      throw fileError('read', this.place, cause);
    }
  }
}
