// prognet init

import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { jsonSchemaText } from '../../model/description/json-schema.js';
import { UsageError } from '../../onnx/core/errors.js';
import { writeFileAtomic } from '../../onnx/files/atomic-file.js';
import { fileError } from '../../onnx/files/file-error.js';
import { makeFolder } from '../../onnx/files/folder.js';
import { refuseOutput } from '../../workspace/output-path.js';
import { descriptionNames } from '../../workspace/workspace.js';
import { type GlobalOptions, result, shellWord } from '../report.js';
import { mnistTemplate } from '../templates.js';

export interface InitFlags extends GlobalOptions {
  readonly template: string;
}

export function init(given: string | undefined, options: InitFlags): void {
  if (options.template !== 'mnist') {
    throw new UsageError(`unknown template "${options.template}", expected mnist`, { expected: 'mnist', got: options.template });
  }
  const dir = resolve(options.workspace ?? '.', given ?? '.');
  refuseOutput(dir);
  const found = descriptionNames.find((name) => existsSync(join(dir, name)));
  if (found !== undefined)
    throw new UsageError(`${join(dir, found)} is there already and stays as it is`, { path: join(dir, found) });
  try {
    makeFolder(dir);
  } catch (cause) {
    throw fileError('write', dir, cause);
  }
  const file = join(dir, 'prognet.yaml');
  const encode = (text: string) => new TextEncoder().encode(text);
  // The template names this file, so that editors check and complete what is written.
  writeFileAtomic(join(dir, 'prognet.schema.json'), encode(jsonSchemaText()));
  writeFileAtomic(file, encode(mnistTemplate));
  const there = relative('.', dir);
  const next = `${there === '' ? '' : `cd ${shellWord(there)} && `}prognet check && prognet train --all`;
  result(options, { file }, `${relative('.', file)} written. Next: ${next}`);
}
