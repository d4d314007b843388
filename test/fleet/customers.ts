// Fleets with the graphs of training, data of customers, and what holds of columns that Python trained.
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readColumn, readFleet } from '../../src/fleet/folder.js';
import { FleetRunner } from '../../src/fleet/runner.js';
import { writeNpz } from '../../src/formats/npz.js';
import { must } from '../../src/onnx/core/errors.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { exportFleet } from '../../src/tasks/export-fleet.js';
import { loadWorkspace } from '../../src/tasks/load-workspace.js';
import { runtime } from '../support/run.js';
import { description, frozenWorkspace, rows } from './fleet.js';

/** Columns that several workers can train together. */
export const plain = { blocks: '[[{ dense: 6 }, relu], [{ dense: 5 }, tanh]]', train: ', optimizer: adamw, clip: { norm: 1 }' };
/** Where a folder can be written. */
export const empty = () => join(mkdtempSync(join(tmpdir(), 'prognet-fleet-training-')), 'fleet');
/** A workspace whose column `ann` trains for twelve epochs. */
export const trainingWorkspace = (): Promise<string> =>
  frozenWorkspace(description(['ann'], plain).replaceAll('epochs: 2, batch: 8, seed: 2', 'epochs: 12, batch: 8, seed: 2'));

/** A fleet of the workspace with the graphs of training. */
export function fleetOf(dir: string): string {
  const folder = empty();
  exportFleet(loadWorkspace(dir), folder, { training: true });
  return folder;
}

/** Data of so many customers: which of three classes a row is of, each customer in a way of its own. */
export function customers(count: number, size = 60): string {
  const folder = mkdtempSync(join(tmpdir(), 'prognet-fleet-data-'));
  for (let i = 0; i < count; i++) {
    const x = rows(size, 100 + i);
    const values = x.numbers();
    const label = (row: number) =>
      BigInt((values[row * 4 + (i % 4)] ?? 0) > 0.4 ? 2 : (values[row * 4 + ((i + 1) % 4)] ?? 0) > 0 ? 1 : 0);
    const targets = new Tensor(
      'int64',
      [size],
      BigInt64Array.from({ length: size }, (_, row) => label(row)),
    );
    writeFileSync(
      join(folder, `c${i}.npz`),
      writeNpz(
        new Map([
          ['x', x],
          ['targets', targets],
        ]),
      ),
    );
  }
  return folder;
}

/** The test rows of a customer: every fifth. */
function testRows(i: number, size = 60): Tensor {
  const { data } = rows(size, 100 + i);
  const taken = Array.from({ length: size }, (_, row) => row).filter((row) => row % 5 === 4);
  return Tensor.from(
    'float32',
    taken.flatMap((row) => [...(data as Float32Array).subarray(row * 4, row * 4 + 4)]),
    [taken.length, 4],
  );
}

/** Every column is read by Node, which checks its hashes, and answers as its proof says. */
export async function expectWhole(folder: string, count: number) {
  const about = readFleet(folder);
  const runner = await FleetRunner.open(runtime, folder, { session: { threads: 1 } });
  for (let i = 0; i < count; i++) {
    const { record } = readColumn(folder, about, `c${i}`);
    expect(record.sources).toEqual(about.sources);
    const losses = must(record.history, 'history').map(({ loss }) => Number(loss));
    expect(losses).toHaveLength(12);
    expect(must(losses.at(-1), 'loss')).toBeLessThan(must(losses[0], 'loss'));
    // the proof: what Python's session answered has the bits of ours
    const { scores } = await runner.run(`c${i}`, { x: testRows(i) });
    expect(createHash('sha256').update(scores.bytes).digest('hex')).toBe(record.outputs.sha256);
    expect(existsSync(join(folder, `adapters/c${i}.onnx_adapter`))).toBe(true);
  }
  await runner.release();
}
