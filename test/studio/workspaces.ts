// Workspaces that pages are asked about: a table with categories, and images in colour.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { Random } from '../../src/onnx/core/random.js';

/** A table of numbers and a category, of which some numbers are missing: a task that classifies, and one that does not. */
export const table = `prognet: 1
name: people
input: { name: row, features: [age, { city: [Basel, Bern] }, income], prepare: [{ fill: median }, standardise, one_hot] }
columns:
  - { task: kind, data: { source: people.csv, label: kind }, blocks: [[{ dense: 8 }, relu]], head: { classify: 2 }, train: { epochs: 6, batch: 16, lr: 0.02 } }
  - { task: left, data: { source: people.csv, label: left }, like: kind, head: { regress: 1 }, laterals: { kind: adapter, rank: 2 } }
`;

export function people(dir: string): void {
  const r = new Random(5, 'people');
  const rows = Array.from({ length: 300 }, (_, i) => {
    const [age, bern] = [20 + Math.floor(50 * r.uniform()), r.uniform() < 0.4];
    const kind = age + (bern ? 15 : 0) > 50 ? 'stays' : 'leaves';
    return `${i % 9 === 0 ? '' : age},${bern ? 'Bern' : 'Basel'},${Math.round(20_000 + 900 * age)},${kind},${(age / 10).toFixed(2)}`;
  });
  writeFileSync(join(dir, 'people.csv'), `age,city,income,kind,left\n${rows.join('\n')}\n`);
}

/** Images of bytes, `shape` of 16 x 16, in two classes. */
export const photos = (shape: string, prepare: string, source: string) => `prognet: 1
name: photos
input: { name: image, shape: ${shape}, dtype: uint8, prepare: [${prepare}] }
columns:
  - task: hue
    data: { source: photos, ${source} }
    blocks: [[flatten, { dense: 12 }, relu]]
    head: { classify: 2 }
    train: { epochs: 4, batch: 16 }
`;

/** Reddish and bluish noise, 16 x 16, and one image of 90 x 60, as PNG. */
export async function hues(dir: string): Promise<void> {
  const r = new Random(2, 'hues');
  const image = (red: boolean, side: number) => {
    const data = Uint8Array.from({ length: side * side * 3 }, (_, i) => (i % 3 === (red ? 0 : 2) ? 150 : 40) + 90 * r.uniform());
    return sharp(data, { raw: { width: side, height: side, channels: 3 } });
  };
  for (const name of ['red', 'blue']) {
    const folder = join(dir, 'photos', name);
    mkdirSync(folder, { recursive: true });
    for (let i = 0; i < 60; i++)
      writeFileSync(
        join(folder, `${i}.png`),
        await image(name === 'red', 16)
          .png()
          .toBuffer(),
      );
  }
  mkdirSync(join(dir, 'asked'));
  writeFileSync(join(dir, 'asked', 'a.png'), await image(true, 16).png().toBuffer());
  writeFileSync(join(dir, 'asked', 'b.png'), await image(false, 16).png().toBuffer());
  const large = await sharp(
    Uint8Array.from({ length: 90 * 60 * 3 }, (_, i) => 128 + 100 * Math.sin(i / 400)),
    {
      raw: { width: 90, height: 60, channels: 3 },
    },
  );
  writeFileSync(join(dir, 'large.png'), await large.png().toBuffer());
}
