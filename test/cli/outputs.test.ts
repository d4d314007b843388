// What commands may write over: never a file of a workspace, never what the command reads, and no folder with anything of the user's in it.
import { cpSync, linkSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/npy.js';
import { Tensor } from '../../src/onnx/core/tensor.js';
import { loadModel } from '../../src/onnx/serde/external-data.js';
import { saveModel } from '../../src/onnx/serde/save-model.js';
import { refuseOutput } from '../../src/workspace/output-path.js';
import { commandLine, prognet, repo, workspace, yaml } from './support.js';

const encoder = join(repo, 'test/onnx/autodiff/torch/encoder.onnx');
let dir = '';
const at = (...path: string[]) => join(dir, ...path);

beforeAll(() => {
  dir = workspace(yaml('', 1));
  expect(prognet('train', 'a', '--freeze', '--quiet', '-C', dir).status).toBe(0);
  writeFileSync(at('x.npy'), writeNpy(Tensor.zeros('float32', [2, 4])));
  cpSync(encoder, at('encoder.onnx'));
}, 60_000);

/** Every file of the workspace with its content. */
const contents = () =>
  new Map(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((e) => e.isFile())
      .map((e) => [join(e.parentPath, e.name), readFileSync(join(e.parentPath, e.name), 'latin1')]),
  );

function refuses(args: readonly string[], message: RegExp) {
  const before = contents();
  const { status, stderr } = prognet(...args, '-C', dir);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(status).toBe(2);
  expect(contents()).toEqual(before);
}

const own = /is a file of the workspace itself, expected another output/;
const weights = 'columns/a/weights.safetensors';
const grad = ['--of', 'loss', '--by', 'x'];
/** Each command that writes where it is told, up to the place. */
const commands: Readonly<Record<string, (place: string) => string[]>> = {
  init: () => ['init', at('columns/x')],
  train: () => ['train', 'b', '--log', at('columns')],
  study: () => ['study', dir, '-o', at('columns')],
  compress: () => ['compress', '-o', at('columns/x')],
  plot: () => ['plot', 'a', '-o', at('columns/a/curves.svg')],
  report: () => ['report', '-o', at('columns/a/report.html')],
  predict: (place) => ['predict', 'a', '--input', at('x.npy'), '--format', 'npy', '--output', place],
  export: (place) => ['export', '--task', 'a', '-o', place],
  bundle: (place) => ['bundle', '-o', place],
  artifacts: () => ['artifacts', 'b', '-o', at('columns')],
  import: () => ['import', encoder, '--task', 'c', '--data', 'mnist', '-o', at('runs/c')],
  grad: (place) => ['grad', encoder, ...grad, '-o', place],
  deploy: () => ['deploy', 'triton', '-o', at('columns/x')],
  studio: () => ['studio', '--build', at('imported')],
};

it('the table below holds every command that writes where it is told', () => {
  const blocks = commandLine.split(/^command\('/m).slice(1);
  const writing = blocks
    .filter((b) => /'(-o, )?--(output|build|log) </.test(b) || b.startsWith('init '))
    .map((b) => b.match(/^\w+/)?.[0]);
  expect(Object.keys(commands)).toEqual(writing);
});

it.each(Object.keys(commands))('%s never writes onto a file of the workspace', (name) => {
  for (const place of name === 'grad' ? [weights, 'prognet.yaml'] : [weights]) refuses(commands[name]?.(at(place)) ?? [], own);
});

it('nor onto what it reads', () => {
  const reads = /is what the command reads, expected another output/;
  refuses(['grad', at('encoder.onnx'), ...grad, '-o', at('encoder.onnx')], reads);
  refuses(['predict', 'a', '--input', at('x.npy'), '--output', at('x.npy')], reads);
  refuses(['export', '--task', 'a', '-o', at('a.csv')], reads);
  expect(prognet('predict', 'a', '--input', at('x.npy'), '--output', at('y.npy'), '-C', dir).status).toBe(0);
  expect(readNpy(new Uint8Array(readFileSync(at('y.npy')))).dims).toEqual([2, 2]);
});

it('predict writes no format that nobody named: an ending is known, or --format says it', () => {
  const ask = ['predict', 'a', '--input', at('x.npy'), '--output', at('answers.tsv')];
  refuses(
    ask,
    /^prognet: --output: "\.tsv" is no ending of a format, expected \.npy, \.csv, \.json, \.jsonl or \.txt, or --format as one of /,
  );
  expect(prognet(...ask, '--format', 'csv', '-C', dir).status).toBe(0);
  expect(readFileSync(at('answers.tsv'), 'utf8').split('\n')[0]).toBe('label,probability_0,probability_1');
  expect(prognet('predict', 'a', '--input', at('x.npy'), '--output', at('answers'), '-C', dir).status).toBe(0);
  expect(readNpy(new Uint8Array(readFileSync(at('answers')))).dims).toEqual([2, 2]);
});

it('nor weights beside the model that it reads', () => {
  saveModel(loadModel(encoder), at('e.onnx'), { externalData: true, sizeThreshold: 1 });
  refuses(['grad', at('e.onnx'), ...grad, '-o', at('e.onnx.data')], /e\.onnx\.data: is what the command reads/);
});

describe('the rule by itself', () => {
  it('whatever the path looks like', () => {
    symlinkSync(at('columns'), at('link'));
    symlinkSync(at('prognet.yaml'), at('other.yaml'));
    for (const path of ['link/a/weights.safetensors', 'other.yaml', 'columns', 'x/../columns/new/deep', 'runs', 'prognet.yml'])
      expect(() => refuseOutput(at(path)), path).toThrow(own);
    for (const path of ['columns.onnx', 'out/columns', 'models/columns/prognet.yaml', '..columns']) refuseOutput(at(path));
    refuseOutput(join(mkdtempSync(join(tmpdir(), 'prognet-none-')), 'columns/x'));
  });
  it('links, and devices', () => {
    linkSync(at('x.npy'), at('hard.npy'));
    symlinkSync(at('x.npy'), at('soft.npy'));
    for (const path of ['hard.npy', 'soft.npy'])
      expect(() => refuseOutput(at(path), [at('x.npy')])).toThrow(/what the command reads/);
    refuseOutput('/dev/null', ['/dev/null']);
  });
});

it('artifacts replace what prognet wrote, and nothing else', () => {
  const artifacts = (folder: string) => ['artifacts', 'b', '-o', at(folder)];
  const written = () => expect(prognet(...artifacts('made'), '-C', dir).status).toBe(0);
  written();
  written();
  writeFileSync(at('made/checkpoint'), 'trained elsewhere');
  refuses(artifacts('made'), /made: "checkpoint" was changed since it was written; it stays as it is, choose another folder/);
  cpSync(at('made/checkpoint'), at('mine/checkpoint'));
  refuses(artifacts('mine'), /mine: is not empty and was not written by prognet; it stays as it is/);
});
