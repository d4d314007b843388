// A network as one file: what goes in comes out, and what was changed on the way is refused in one line.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from '../../src/formats/safetensors.js';
import { classify, column, dense, input } from '../../src/model/description/builder.js';
import { prognet } from '../../src/network/network.js';
import { looksLikeNetwork } from '../../src/network/network-file.js';
import { readNetwork } from '../../src/network/read-network.js';
import { DataError } from '../../src/onnx/core/errors.js';
import { prognet as run, workspace } from '../cli/support.js';
import { initialAt } from '../support/by-place.js';

function network() {
  const begun = prognet({ name: 'pair', input: input('x', [3]) })
    .grow(column('a', { blocks: [[dense(4)]], head: classify(2) }))
    .grow(column('b', { like: 'a' }));
  return begun.withWeights('a', initialAt(begun.description, 0));
}

it('carries description, frozen columns and those to come', async () => {
  const bytes = await network().save();
  expect(looksLikeNetwork(bytes)).toBe(true);
  const back = await readNetwork(bytes);
  expect(back.description).toEqual(network().description);
  expect(back.weights('a')).toEqual(network().weights('a'));
  expect(back.weights('b')).toBeUndefined();
  expect([...(await back.save())]).toEqual([...bytes]);
});

it('refuses what was changed, and what is no bundle', async () => {
  const bytes = await network().save();
  const changed = Uint8Array.from(bytes);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  await expect(readNetwork(changed, 'x.prognet')).rejects.toThrow(
    'x.prognet: the weights of task "a" are not those that were frozen (sha256 differs)',
  );
  const { tensors, metadata } = decodeSafetensors(bytes);
  const rewritten = (m: Record<string, string>) => readNetwork(encodeSafetensors(tensors, m), 'x.prognet');
  await expect(rewritten({})).rejects.toThrow('x.prognet: holds tensors but no prognet network');
  await expect(rewritten({ ...metadata, 'prognet.bundle': '2' })).rejects.toThrow(
    'network file of format 2, this prognet reads 1',
  );
  await expect(rewritten({ ...metadata, 'prognet.description': '{' })).rejects.toThrow('its description is not valid JSON');
  await expect(rewritten({ ...metadata, 'prognet.description': '{"prognet": 1}' })).rejects.toThrow('x.prognet: ');
  await expect(readNetwork(bytes.subarray(0, 100))).rejects.toThrow(DataError);
  const missing = new Map([...tensors].slice(1));
  await expect(readNetwork(encodeSafetensors(missing, metadata))).rejects.toThrow(/weight "a.*expected float32/);
});

it('the command writes what the workspace holds', async () => {
  const dir = workspace();
  const file = join(dir, 'toy.prognet');
  expect(run('bundle', '-o', file, '-C', dir)).toMatchObject({
    status: 2,
    stderr: 'prognet: no task is trained yet: prognet train --all\n',
  });
  expect(run('train', 'a', '--freeze', '--quiet', '-C', dir).status).toBe(0);
  expect(JSON.parse(run('bundle', '-o', file, '--json', '-C', dir).stdout)).toMatchObject({ file, tasks: ['a'] });
  const carried = await readNetwork(readFileSync(file));
  expect(carried.tasks).toEqual(['a', 'b']);
  const frozen = decodeSafetensors(readFileSync(join(dir, 'columns/a/weights.safetensors')));
  expect(carried.weights('a')).toEqual(frozen.tensors);
  const { metadata } = decodeSafetensors(readFileSync(file));
  const record = JSON.parse(readFileSync(join(dir, 'columns/a/column.json'), 'utf8'));
  expect(metadata['prognet.sha256.a']).toBe(record.sha256.weights);
});
