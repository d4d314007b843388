// What an import that was killed leaves behind is taken up by the next one, and given back whole where that one fails.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeNpz } from '../../src/formats/npz.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { ops } from '../../src/onnx/ops/ops.js';
import { saveModel } from '../../src/onnx/serde/save-model.js';
import { importTask } from '../../src/tasks/import-task.js';
import { runtime } from '../support/run.js';

let root = '';
const at = (...path: string[]) => join(root, ...path);
const bring = (data = '../d.npz') =>
  importTask(runtime, at('family'), true, at('m.onnx'), { task: 't', head: 'classify', data, threads: 1 });

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'prognet-import-killed-'));
  mkdirSync(at('family', 'imported'), { recursive: true });
  const g = ops({ name: 'small' });
  const ones = (...dims: number[]) => Tensor.from('float32', new Array<number>(dims.reduce((a, b) => a * b)).fill(1), dims);
  const hidden = g.relu(g.gemm(g.input('x', 'float32', ['N', 4]), g.initializer('w', ones(4, 3))));
  g.output(g.gemm(hidden, g.initializer('v', ones(3, 2))), 'y');
  saveModel(g.model(), at('m.onnx'));
  const [x, y] = [Tensor.zeros('float32', [8, 4]), Tensor.zeros('int64', [8])];
  writeFileSync(at('d.npz'), writeNpz(new Map(Object.entries({ x_train: x, y_train: y, x_test: x, y_test: y }))));
});

const graph = () => at('family', 'imported', 't.onnx');
const imported = () => readdirSync(at('family', 'imported')).sort();

describe('killed before its description was written', () => {
  it('the graph that it left is written over', async () => {
    writeFileSync(graph(), 'half');
    writeFileSync(at('family', 'imported', '.t.onnx.pending'), '["t.onnx"]\n');
    expect((await bring()).task).toBe('t');
    expect(imported()).toEqual(['t.onnx']);
    expect(readdirSync(at('family')).sort()).toEqual(['columns', 'imported', 'prognet.yaml', 'runs']);
  });

  it('a graph that nobody wrote down is refused and stays', async () => {
    writeFileSync(graph(), 'mine');
    await expect(bring()).rejects.toThrow(/t\.onnx exists and belongs to no column of prognet\.yaml: move it, or choose/);
    expect(readFileSync(graph(), 'utf8')).toBe('mine');
    expect(imported()).toEqual(['t.onnx']);
    expect(readdirSync(at('family'))).toEqual(['imported']);
  });
});

describe('killed between its description and its freezing', () => {
  beforeEach(async () => {
    await bring();
    for (const folder of ['columns', 'runs']) rmSync(at('family', folder), { recursive: true });
  });

  it('the column is taken in again', async () => {
    expect((await bring()).task).toBe('t');
    expect(readdirSync(at('family', 'columns')).sort()).toContain('t');
    expect(imported()).toEqual(['t.onnx']);
  });

  it('where that fails, graph and description are those from before', async () => {
    const before = [graph(), at('family', 'prognet.yaml')].map((file) => readFileSync(file));
    await expect(bring('../none.npz')).rejects.toThrow(/none\.npz/);
    expect([graph(), at('family', 'prognet.yaml')].map((file) => readFileSync(file))).toEqual(before);
    expect(imported()).toEqual(['t.onnx']);
    expect(readdirSync(at('family')).sort()).toEqual(['imported', 'prognet.yaml']);
  });
});

it('where a first import fails, nothing of it stays', async () => {
  await expect(bring('../none.npz')).rejects.toThrow(/none\.npz/);
  expect(imported()).toEqual([]);
  expect(readdirSync(at('family'))).toEqual(['imported']);
});
