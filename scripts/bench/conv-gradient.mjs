// The weight gradient of a convolution in each form that src/onnx/ops/rules/conv-weight-gradient.ts knows, the figures behind its choice.
import { best, node, python, race, row } from './harness.mjs';

/** channels, size, filters, kernel, stride */
const shapes = [
  [1, 28, 32, 3, 1],
  [3, 64, 64, 7, 2],
  [16, 14, 32, 3, 1],
  [32, 14, 64, 3, 1],
  [64, 14, 64, 3, 2],
  [32, 14, 64, 5, 1],
];
const forms = ['windows', 'slices', 'convolution'];

async function run() {
  const rows = [];
  for (const shape of shapes) {
    const numbers = shape.map(String);
    const ours = Object.fromEntries(forms.map((form) => [form, node('conv-gradient-prognet.mjs', form, ...numbers)]));
    const results = await race({ ...ours, PyTorch: python('conv-gradient-torch.py', ...numbers) }, { rounds: 5 });
    const [channels, size, filters, kernel, stride] = shape;
    const fastest = best(results, forms);
    for (const form of forms) {
      const work = `${channels} x ${size}², ${filters} filters, kernel ${kernel}, stride ${stride}: ${form}${form === fastest ? ' (best)' : ''}`;
      rows.push(row(work, results, form, 'PyTorch'));
    }
  }
  return {
    rows,
    notes: [
      'The choice: windows from four channels on, below that slices, and for groups; convolution for kernels of 49 elements and where sizes are not known.',
    ],
  };
}

export const bench = { title: 'Weight gradient of a convolution, by form', run };
