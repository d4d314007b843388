// Waits for the file <root>/go, tries to open runs/digits, says "held" or "refused", and stays. Argument: root.
import { existsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openRun } from '../../../src/workspace/run-store.js';

const [root = ''] = process.argv.slice(2);
writeSync(1, 'ready\n');
while (!existsSync(join(root, 'go')));
try {
  openRun(root, 'digits');
  writeSync(1, 'held\n');
} catch {
  writeSync(1, 'refused\n');
}
setInterval(() => {}, 1000);
