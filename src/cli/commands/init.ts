// prognet init
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../core/errors.js';
import { makeFolder } from '../../workspace/folder.js';
import { writeFileAtomic } from '../../workspace/atomic-file.js';
import { descriptionNames } from '../../workspace/workspace.js';
import { type GlobalOptions, result } from '../report.js';
import { mnistTemplate } from '../templates.js';

export function init(dir: string, options: GlobalOptions & { template: string }): void {
  if (options.template !== 'mnist')
    throw new UsageError(`unknown template "${options.template}", expected mnist`, { got: options.template });
  const found = descriptionNames.find((name) => existsSync(join(dir, name)));
  if (found !== undefined) throw new UsageError(`${join(dir, found)} is there already and stays as it is`);
  makeFolder(dir);
  const file = join(dir, 'prognet.yaml');
  writeFileAtomic(file, new TextEncoder().encode(mnistTemplate));
  result(options, { file }, `${file} written. Next: cd ${dir} && prognet check && prognet train --all`);
}
