// prognet init

import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { profileCsv } from '../../formats/csv-profile.js';
import { UsageError } from '../../onnx/core/errors.js';
import { writeFileAtomic } from '../../onnx/files/atomic-file.js';
import { fileError } from '../../onnx/files/file-error.js';
import { makeFolder } from '../../onnx/files/folder.js';
import { whileLocked } from '../../onnx/files/lock-file.js';
import { readWhole } from '../../onnx/files/read-file.js';
import { removeQuietly } from '../../onnx/files/temporary.js';
import { describeTable } from '../../tasks/describe-table.js';
import { jsonSchemaText } from '../../tasks/json-schema.js';
import { refuseOutput } from '../../workspace/output-path.js';
import { descriptionNames } from '../../workspace/workspace.js';
import { type GlobalOptions, note, result, shellWord } from '../report.js';
import { isTemplate, templateFiles, templateNames, templates } from '../templates.js';

export interface InitFlags extends GlobalOptions {
  readonly template?: string;
  readonly from?: string;
  readonly label?: string;
  readonly decimal?: string;
}

/** What the description begins as, and what it is over. */
interface Beginning {
  readonly text: string;
  readonly over: string;
  readonly notes: readonly string[];
  /** What lies beside it, by path. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
}

function signOf(text: string | undefined): '.' | ',' | undefined {
  if (text === undefined || text === '.' || text === ',') return text;
  throw new UsageError(`--decimal: found "${text}", expected "," or "."`, { path: '--decimal', expected: ',', got: text });
}

/** Of a table. Throws DataError for one that cannot be described. */
function fromTable(table: string, dir: string, { label, ...flags }: InitFlags): Beginning {
  const decimal = signOf(flags.decimal);
  const stated = /\.tsv$/i.test(table) ? '\t' : undefined;
  const profile = profileCsv(readWhole(table), decimal ?? '.', table, stated);
  const source = relative(dir, resolve(table)).replaceAll('\\', '/');
  const wishes = { source, where: table, ...(label !== undefined && { label }), ...(decimal && { decimal }) };
  return { ...describeTable(profile, wishes), over: table };
}

function beginning(dir: string, options: InitFlags): Beginning {
  const { from } = options;
  for (const flag of ['label', 'decimal'] as const)
    if (options[flag] !== undefined && from === undefined) throw new UsageError(`--${flag} is for --from`, { path: `--${flag}` });
  if (from !== undefined) {
    if (options.template !== undefined)
      throw new UsageError('--template beside --from, expected one of them', { path: '--template' });
    return fromTable(from, dir, options);
  }
  const template = options.template ?? 'mnist';
  if (!isTemplate(template)) {
    const expected = `one of ${templateNames.join(', ')}`;
    throw new UsageError(`unknown template "${template}", expected ${expected}`, { expected, got: template });
  }
  const { over, packages } = templates[template];
  const install = packages.length === 0 ? '' : ` (npm install ${packages.join(' ')})`;
  return { ...templateFiles(template), over: `${over}${install}`, notes: [] };
}

function refuseExisting(dir: string): void {
  const found = descriptionNames.find((name) => existsSync(join(dir, name)));
  if (found !== undefined)
    throw new UsageError(`${join(dir, found)} is there already and stays as it is`, { path: join(dir, found) });
}

export function init(given: string | undefined, options: InitFlags): void {
  const dir = resolve(options.workspace ?? '.', given ?? '.');
  const { text, over, notes, files = new Map<string, Uint8Array>() } = beginning(dir, options);
  refuseOutput(dir);
  const file = join(dir, 'prognet.yaml');
  const schema = join(dir, 'prognet.schema.json');
  const encode = (text: string) => new TextEncoder().encode(text);
  refuseExisting(dir);
  const taken = [...files.keys()].find((name) => existsSync(join(dir, name)));
  if (taken !== undefined)
    throw new UsageError(`${join(dir, taken)} is there already and stays as it is`, { path: join(dir, taken) });
  try {
    makeFolder(dir);
    for (const name of files.keys()) makeFolder(dirname(join(dir, name)));
  } catch (cause) {
    throw fileError('write', dir, cause);
  }
  whileLocked(file, () => {
    // Another init may have been first.
    refuseExisting(dir);
    const had = existsSync(schema);
    try {
      // The template names this file, so that editors check and complete what is written.
      writeFileAtomic(schema, encode(jsonSchemaText()));
      for (const [name, bytes] of files) writeFileAtomic(join(dir, name), bytes);
      writeFileAtomic(file, encode(text));
    } catch (error) {
      if (!had) removeQuietly(schema);
      throw error;
    }
  });
  for (const line of notes) note(options, line);
  const there = relative('.', dir);
  const next = `${there === '' ? '' : `cd ${shellWord(there)} && `}prognet check && prognet train --all`;
  result(options, { file, ...(notes.length > 0 && { notes }) }, `${relative('.', file)} written, over ${over}. Next: ${next}`);
}
