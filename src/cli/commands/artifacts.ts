// prognet artifacts
import { UsageError } from '../../onnx/core/errors.js';
import { absorbCheckpoint } from '../../tasks/absorb-checkpoint.js';
import { loadWorkspace } from '../../tasks/load-workspace.js';
import { writeArtifacts } from '../../tasks/write-artifacts.js';
import { choiceFlag, integerFlag, numberFlag } from '../flags.js';
import { note, result } from '../report.js';
import { chosen, openRuntime, type RuntimeFlags } from '../runtime.js';

export interface ArtifactsFlags extends RuntimeFlags {
  readonly output?: string;
  readonly absorb?: string;
  readonly frozen: string;
  readonly optimizer?: string;
  readonly adamMode: string;
  readonly clip?: string;
  readonly lrScale?: string;
  readonly nominal?: boolean;
  readonly checkpointVersion: string;
  readonly resume?: boolean;
}

export async function artifactsCommand(task: string, flags: ArtifactsFlags): Promise<void> {
  if ((flags.output === undefined) === (flags.absorb === undefined)) {
    throw new UsageError('give -o <folder> to write artifacts, or --absorb <checkpoint> to take a trained one in');
  }
  const loaded = loadWorkspace(flags.workspace ?? '.');
  if (flags.absorb !== undefined) return absorb(task, flags.absorb, flags);
  const clip = numberFlag('--clip', flags.clip);
  const rateScale = numberFlag('--lr-scale', flags.lrScale);
  const optimizer = flags.optimizer === undefined ? undefined : choiceFlag('--optimizer', flags.optimizer, ['adamw', 'sgd']);
  const written = await writeArtifacts(loaded, task, flags.output ?? '', {
    frozenForm: choiceFlag('--frozen', flags.frozen, ['inputs', 'initializers']),
    adamMode: choiceFlag('--adam-mode', flags.adamMode, ['0', '1']) === '1' ? 1 : 0,
    nominal: flags.nominal ?? false,
    checkpointVersion: choiceFlag('--checkpoint-version', flags.checkpointVersion, ['1', '2']) === '1' ? 1 : 2,
    resume: flags.resume ?? false,
    runtime: async () => (await openRuntime(flags)).runtime,
    ...(optimizer !== undefined && { optimizer }),
    ...(clip !== undefined && { clip }),
    ...(rateScale !== undefined && { rateScale }),
  });
  const { trainable, frozen, userInputs, sizes = {} } = written;
  const counts = `${trainable} trainable and ${frozen} other parameters; a step takes ${userInputs.join(', ')}`;
  const open = Object.entries(sizes).map(([name, size]) => `${name} ${size}`);
  const bound = open.length === 0 ? '' : `\nof the size of the training data: ${open.join(', ')}`;
  result(flags, written, `${written.folder} written: ${written.files.join(', ')}\n${counts}${bound}`);
}

async function absorb(task: string, file: string, flags: ArtifactsFlags): Promise<void> {
  const open = await openRuntime(flags);
  const threads = integerFlag('--threads', flags.threads);
  const loaded = loadWorkspace(flags.workspace ?? '.');
  const record = await absorbCheckpoint(open.runtime, loaded, task, file, {
    onNote: (line) => note(flags, line),
    ...chosen(open),
    ...(threads !== undefined && { threads }),
  });
  const metrics = Object.entries(record.metrics).filter(([name]) => name !== 'seconds' && name !== 'epochs');
  const told = metrics.map(([name, value]) => `${name} ${value.toFixed(4)}`).join(', ');
  result(flags, { task, metrics: Object.fromEntries(metrics) }, `${task} frozen from ${file}: ${told} on the test data`);
}
