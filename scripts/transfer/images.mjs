// Few examples of new classes over a backbone with really trained weights: a progressive column beside a head alone, low-rank updates, all weights, and the
// same network from the start. The backbone is the first seven stages of nudenet's detector (scripts/models/fetch.py fetches it), the classes are Fashion-MNIST's.
//   node scripts/transfer/images.mjs [--seeds 5] [--examples 2,5]     Needs npm run build. What all ways share stands in compare.mjs.
// The rate is a tenth where weights go on from trained ones.
import { fileURLToPath } from 'node:url';
import { at, compare, few, imported, targetsOf } from './compare.mjs';
import { backbone, conv, importing, side, widened } from './nudenet.mjs';

const { loadData } = await import(at('dist/node.js').href);
const [classes, testEach] = [10, 60];

const ways = {
  'progressive column': {
    column: {
      blocks: [conv(8), conv(16), conv(32), ['flatten', { dense: 32 }, 'relu']],
      laterals: { kind: 'adapter', rank: 16, from: 'base', taps: { 1: 0, 2: 1, 3: 2, head: 2 }, join: 'pool' },
    },
    lr: 0.003,
  },
  'head alone': { column: { blocks: [], laterals: { kind: 'linear', from: 'base', join: 'pool' } }, lr: 0.003 },
  'low-rank updates': { column: { tune: { base: 'base', lora: { rank: 4, alpha: 8 } } }, lr: 0.003 },
  'all weights': { column: { tune: { base: 'base', weights: 'all' } }, lr: 0.0003 },
  'from the start': { column: { tune: { base: 'base', weights: 'scratch' } }, lr: 0.003 },
};

const data = await loadData('fashion-mnist', {
  baseDir: fileURLToPath(at('.')),
  inputs: [{ name: 'images', dtype: 'uint8', shape: [1, 28, 28] }],
  head: { kind: 'classify', size: classes },
});
const classesOf = ({ targets }) => Array.from(targets.data, Number);
const samples = (part, kinds, rows) => ({ inputs: { images: widened(part.inputs, rows) }, targets: targetsOf(kinds, rows) });
const [trainKinds, testKinds] = [classesOf(data.train), classesOf(data.test)];
await compare('images', {
  base: await imported(backbone, importing),
  ways,
  classes,
  drawn: (each, seed) => samples(data.train, trainKinds, few(trainKinds, classes, each, seed)),
  test: samples(data.test, testKinds, few(testKinds, classes, testEach, 99)),
  settings: { side },
  examples: [2, 5, 10, 20, 50],
  steps: 100,
  batch: 10,
});
