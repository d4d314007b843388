// Trains one column of a workspace in this process. Arguments: the folder, epochs by `train` of its description. Prints JSON: { peak, before, epochs: [{ seconds, loss }], value },
// peak in bytes of resident memory of the whole process, `before` what it was when nothing was read yet, `seconds` of an epoch with its validation, `preparing`
// what came before the first.
import { readFileSync } from 'node:fs';
import { NodeRuntime, trainTask } from '../../dist/node.js';

const [folder] = process.argv.slice(2);
const peak = () => 1024 * Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
const runtime = await NodeRuntime.load();
const before = peak();
const epochs = [];
const started = performance.now();
let preparing;
const trained = await trainTask(runtime, folder, 'a', {
  freeze: false,
  threads: 2,
  restart: true,
  onNote: (line) => process.stderr.write(`${line}\n`),
  onEvent: (event) => {
    if (event.kind === 'step') preparing ??= (performance.now() - started) / 1000;
    if (event.kind !== 'epoch') return;
    epochs.push({ seconds: event.seconds, loss: event.record.loss });
    process.stderr.write(`epoch ${event.record.epoch}: ${event.seconds.toFixed(1)} s, loss ${event.record.loss}\n`);
  },
});
process.stdout.write(`${JSON.stringify({ peak: peak(), before, preparing, epochs, value: trained.value })}\n`);
