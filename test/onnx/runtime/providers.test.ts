// Providers as the command line meets them: what runs here, what does not and why, where nodes run, and wasm in onnxruntime-node's stead.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { graph } from '../../../src/onnx/autodiff/graph.js';
import { int64, Tensor } from '../../../src/onnx/core/tensor.js';
import { ops } from '../../../src/onnx/ops/ops.js';
import { readPlacement } from '../../../src/onnx/runtime/placement.js';
import { probeModel } from '../../../src/onnx/runtime/probe-model.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { saveModel } from '../../../src/onnx/serde/save-model.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';
import { noChromium, swiftshaderEnv } from '../../support/swiftshader.js';

const repo = new URL('../../..', import.meta.url).pathname;
const main = join(repo, 'dist/cli/main.js');
const cuda = existsSync(join(repo, 'node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so'));

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const { status, stdout, stderr } = spawnSync('node', [file, ...args], { encoding: 'utf8', env });
  return { status, stdout, stderr };
}

/** Relu on the device, OneHot on the CPU, which no provider for graphics has. */
function mixedModel(): Uint8Array {
  const g = ops({ name: 'mixed' });
  const x = g.input('x', 'float32', ['N', 4]);
  const label = g.input('label', 'int64', ['N']);
  g.output(g.relu(x), 'y');
  const values = g.constant(int64([0, 1]));
  g.output(g.op('OneHot', [label, g.constant(int64(4)), values], {})[0] ?? x, 'hot');
  return toBinary(g.model());
}

it('the probe is what our own encoder writes', () => {
  expect([...toBinary(fromBinary(probeModel))]).toEqual([...probeModel]);
});

it('lists what runs here, and why the others do not', () => {
  const { providers, runtime } = JSON.parse(run(main, ['providers', '--json']).stdout);
  expect(runtime).toMatch(/^onnxruntime-node \d/);
  expect(providers).toContainEqual({ provider: 'cpu', available: true });
  for (const { available, reason } of providers) if (!available) expect(reason).toMatch(/^[^\n]{10,200}$/);
});

it.skipIf(cuda || process.platform !== 'linux')(
  'says what cuda lacks, and insists on it (skipped where cuda runs or has no build)',
  () => {
    const { providers } = JSON.parse(run(main, ['providers', '--json']).stdout);
    const reason = 'its libraries are not installed: prognet providers --install cuda';
    expect(providers).toContainEqual({ provider: 'cuda', available: false, reason });
    const insisted = run(main, ['providers', '--provider', 'cuda!']);
    expect(insisted).toMatchObject({ status: 2, stderr: `prognet: cuda does not run here: ${reason}\n` });
    const asked = run(main, ['providers', '--provider', 'cuda']);
    // The native WebGPU library may add a warning of its own.
    expect(asked.stderr).toMatch(/^cuda does not run here: .*\non cpu, onnxruntime-node [\d.]+\n/);
    expect(asked.status).toBe(0);
  },
);

it('installs cuda alone', () => {
  expect(run(main, ['providers', '--install', 'webgpu'])).toMatchObject({
    status: 2,
    stderr: 'prognet: --install: found "webgpu", expected cuda (the others come with their package)\n',
  });
});

describe('where nodes run', () => {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-placement-'));
  const file = join(dir, 'mixed.onnx');
  writeFileSync(file, mixedModel());

  it('all on the CPU', () => {
    const { placement } = JSON.parse(run(main, ['providers', '--model', file, '--json']).stdout);
    expect(placement[0]).toEqual({ provider: 'cpu', placement: { nodes: { CPUExecutionProvider: 2 }, fellBack: [] } });
  });

  it('of a model whose weights lie beside it', () => {
    const { model } = graph((g) => {
      const weight = g.parameter('w', Tensor.from('float32', Array(1024).fill(1), [32, 32]));
      return { y: g.matMul(g.input('x', 'float32', ['N', 32]), weight) };
    });
    const beside = join(dir, 'beside.onnx');
    expect(saveModel(model, beside, { externalData: true })).toBe(`${beside}.data`);
    const { placement } = JSON.parse(run(main, ['providers', '--model', beside, '--json']).stdout);
    expect(placement[0].placement.nodes).toEqual({ CPUExecutionProvider: 1 });
  });

  it.skipIf(swiftshaderEnv === undefined)(
    `those that fall back from WebGPU${swiftshaderEnv === undefined ? ` (skipped: ${noChromium})` : ''}`,
    () => {
      const { placement } = JSON.parse(run(main, ['providers', '--model', file, '--json'], swiftshaderEnv).stdout);
      const webgpu = placement.find((p: { provider: string }) => p.provider === 'webgpu');
      expect(webgpu.placement.nodes).toMatchObject({ WebGpuExecutionProvider: 1, CPUExecutionProvider: 1 });
      expect(webgpu.placement.fellBack).toMatchObject([expect.stringMatching(/^OneHot \(/)]);
      expect(run(main, ['providers', '--model', file], swiftshaderEnv).stdout).toMatch(/webgpu: .*\n {2}on the CPU: OneHot/);
    },
  );

  it('reads the log of a graph with a subgraph', () => {
    const line = (text: string) =>
      `2026-01-01 00:00:00.0 [V:onnxruntime:, session_state.cc:1380 VerifyEachNodeIsAssignedToAnEp] ${text}`;
    const log = [
      line('Node placements'),
      line(' Node(s) placed on [WebGpuExecutionProvider]. Number of nodes: 1'),
      line('  Relu (relu)'),
      line(' Node(s) placed on [CPUExecutionProvider]. Number of nodes: 1'),
      line('  Loop (train)'),
      line('Node placements'),
      line(' All nodes placed on [WebGpuExecutionProvider]. Number of nodes: 5'),
    ].join('\n');
    expect(readPlacement(log, 'webgpu')).toEqual({
      nodes: { WebGpuExecutionProvider: 6, CPUExecutionProvider: 1 },
      fellBack: ['Loop (train)'],
    });
  });

  it('a file that is no model is refused in one line', () => {
    const bad = join(dir, 'bad.onnx');
    writeFileSync(bad, 'no model');
    const { placement } = JSON.parse(run(main, ['providers', '--model', bad, '--json']).stdout);
    expect(placement[0].reason).toMatch(/^cpu: [^\n]*[Pp]rotobuf/);
  });
});

it('runs on wasm where onnxruntime-node is absent, and says so', () => {
  const dir = mkdtempSync(join(tmpdir(), 'prognet-web-only-'));
  try {
    const modules = join(dir, 'node_modules');
    mkdirSync(join(modules, 'prognet'), { recursive: true });
    cpSync(join(repo, 'dist'), join(modules, 'prognet/dist'), { recursive: true });
    cpSync(join(repo, 'package.json'), join(modules, 'prognet/package.json'));
    for (const name of readdirSync(join(repo, 'node_modules'))) {
      if (name !== 'onnxruntime-node' && !name.startsWith('.'))
        symlinkSync(join(repo, 'node_modules', name), join(modules, name));
    }
    const cli = join(modules, 'prognet/dist/cli/main.js');
    const listed = run(cli, ['providers', '--json']);
    expect(listed.stderr).toMatch(/^onnxruntime-web [\d.]+ on wasm, several times slower: onnxruntime-node cannot be loaded/);
    expect(JSON.parse(listed.stdout)).toMatchObject({ providers: [{ provider: 'wasm', available: true }] });

    const rows = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(i), i % 2].join(',')).join('\n');
    writeFileSync(join(dir, 'a.csv'), rows);
    writeFileSync(
      join(dir, 'prognet.yaml'),
      'prognet: 1\nname: toy\ninput: { name: x, shape: [2] }\ncolumns:\n  - task: a\n    data: { source: a.csv, header: false }\n' +
        '    blocks: [[{ dense: 4 }, relu]]\n    head: { classify: 2 }\n    train: { epochs: 1, batch: 8 }\n',
    );
    expect(run(cli, ['train', 'a', '--freeze', '--quiet', '--threads', '1', '-C', dir])).toMatchObject({ status: 0 });
    expect(run(cli, ['verify', '--quiet', '--json', '-C', dir]).stdout).toMatch(/"identical":true/);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
