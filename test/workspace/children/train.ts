// Goes on with runs/digits, or begins it: a metrics line each step, a checkpoint each third, without end. Argument: root.
import { writeSync } from 'node:fs';
import { openRun } from '../../../src/workspace/run-store.js';
import { sampleTensors } from '../sample.js';

const [root = ''] = process.argv.slice(2);
const run = openRun(root, 'digits');
const settings = { lr: 0.1 };
let step = 0;
if (run.started) step = run.resume(settings).checkpoint?.step ?? 0;
else run.start(settings);
writeSync(1, `from ${step}\n`);
for (;;) {
  step++;
  run.appendMetrics({ step, loss: 1 / step, note: 'x'.repeat(2000) });
  if (step % 3 === 0) {
    run.saveCheckpoint({ step, tensors: sampleTensors('digits', step, 100_000), state: { step } });
    writeSync(1, `saved ${step}\n`);
  }
}
