// The models that are damaged: ONNX's backend tests, as sh scripts/fetch-onnx-testdata puts them, and what prognet itself exports.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openLibrary } from '../../bits/library.mjs';
import { randomNetworks, stream } from '../../bits/networks.mjs';

const repo = new URL('../../..', import.meta.url).pathname;
const largest = 64 << 10;

/** Exports of random networks. */
async function exports() {
  const library = await openLibrary(join(repo, 'dist'));
  return randomNetworks().flatMap((plain, n) => {
    const description = library.parse(plain);
    const draw = stream(n);
    const weights = description.columns.map((_, c) => {
      const entries = library.specs(description, c).map(({ name: key, shape }) => {
        const size = shape.reduce((a, b) => a * b, 1);
        return [
          key,
          library.tensor(
            [...shape],
            Float32Array.from({ length: size }, () => (draw(96) + 32) / 128),
          ),
        ];
      });
      return new Map(entries);
    });
    const tasks = description.columns.map((c) => c.task);
    // all tasks; and the last alone, which an import takes
    return [tasks, tasks.slice(-1)].map((some) => [
      `${plain.name}/${some.join('-')}.onnx`,
      library.export(description, weights, { tasks: some }),
    ]);
  });
}

/** [name, bytes] of each. */
export async function corpus() {
  const folder = process.env.PROGNET_ONNX_TESTDATA ?? join(repo, '.cache/onnx-testdata');
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  const models = names.filter((name) => name.endsWith('.onnx') && statSync(join(folder, name)).size <= largest).sort();
  if (models.length === 0) throw new Error(`no ONNX backend tests in ${folder}: run sh scripts/fetch-onnx-testdata`);
  const own = (await exports()).filter(([, bytes]) => bytes.length <= largest);
  // own exports are few: each stands several times
  const often = Array.from({ length: 10 }, () => own).flat();
  return [...models.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]), ...often];
}
