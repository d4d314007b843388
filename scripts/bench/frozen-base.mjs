// Five epochs of a small column over a frozen ResNet-50, 224 pixels: prognet computes the taps of the base once, PyTorch runs the base under no_grad in
// each epoch, as a training loop there does. Images and weights are random: time does not depend on them. `PROGNET_BENCH_IMAGES` sets the number of images.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { node, python, race, row } from './harness.mjs';

const images = Number(process.env.PROGNET_BENCH_IMAGES ?? 1000);
const rounds = Number(process.env.PROGNET_BENCH_ROUNDS ?? 3);
const epochs = 5;
const model = fileURLToPath(new URL('../../.cache/models/exports/resnet50-script-17.onnx', import.meta.url));

export const bench = {
  title: 'A column over a frozen ResNet-50',
  async run() {
    if (!existsSync(model))
      throw new Error(
        `${model} is missing: sh scripts/models/setup, then .venv-models/bin/python scripts/models/export.py resnet50`,
      );
    const numbers = [images, epochs].map(String);
    const results = await race(
      { ours: node('frozen-base-prognet.mjs', model, ...numbers), torch: python('frozen-base-torch.py', ...numbers) },
      { rounds },
    );
    return {
      rows: [row(`${epochs} epochs, ${images} images, the base run once against ${epochs} times`, results, 'ours', 'torch', 0.3)],
      notes: [
        `Both train the same column: two convolutions and a dense head, with adapters of rank 16 from the last stage and from the pooled features. ${results.ours.info.engine}, ${results.torch.info.engine}.`,
      ],
    };
  },
};
