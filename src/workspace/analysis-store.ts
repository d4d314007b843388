// What tasks take of earlier columns, as it was measured: analysis/<task>.json, written whole at once.
import { join } from 'node:path';
import { writeFileAtomic } from '../onnx/files/atomic-file.js';
import { makeFolder } from '../onnx/files/folder.js';
import { type Json, stableJson } from './json.js';
import { checkTask } from './task-name.js';

/** Takes the place of the one before. Throws WorkspaceError where the disk does not take it. */
export function writeAnalysis(root: string, task: string, analysis: Json): void {
  checkTask(task);
  const folder = join(root, 'analysis');
  makeFolder(folder);
  writeFileAtomic(join(folder, `${task}.json`), new TextEncoder().encode(`${stableJson(analysis)}\n`));
}
