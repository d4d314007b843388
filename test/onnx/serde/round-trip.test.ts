// Every model of ONNX's backend tests decodes, encodes and decodes again without loss; onnx-proto reads our bytes as a second opinion.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import onnxProto from 'onnx-proto';
import { expect, it } from 'vitest';
import { ModelError } from '../../../src/onnx/core/errors.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';

const root = new URL('../../../.cache/onnx-testdata/data', import.meta.url).pathname;
if (!existsSync(root)) throw new Error('ONNX backend tests are missing: sh scripts/fetch-onnx-testdata');
const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.onnx'))
  .sort();

/** What onnx-proto says of a model, the parts whose form may differ (how a tensor's data are stored) left out. */
function opinion(bytes: Uint8Array) {
  const { graph, opsetImport, irVersion } = onnxProto.onnx.ModelProto.decode(bytes);
  return {
    irVersion: String(irVersion),
    opsets: opsetImport?.map((o) => [o.domain ?? '', String(o.version)]).sort(),
    inputs: graph?.input?.map((v) => v.name),
    outputs: graph?.output?.map((v) => v.name),
    nodes: graph?.node?.map((n) => [
      n.opType,
      n.name ?? '',
      n.domain ?? '',
      n.input,
      n.output,
      n.attribute?.map((a) => [a.name, a.type]).sort(),
    ]),
    initializers: graph?.initializer?.map((t) => [t.name, t.dataType, t.dims?.map(String)]),
  };
}

it(`${files.length} models survive a round trip`, () => {
  expect(files.length).toBe(1764);
  for (const name of files) {
    const bytes = new Uint8Array(readFileSync(join(root, name)));
    const model = fromBinary(bytes, { file: name });
    const written = toBinary(model);
    const again = fromBinary(written, { file: name });
    expect(Buffer.compare(toBinary(again), written), name).toBe(0);
    expect(opinion(written), name).toEqual(opinion(bytes));
  }
}, 120_000);

it('truncated and mutated models are refused in one line, or read', () => {
  const samples = files.filter((_, i) => i % 97 === 0).map((name) => new Uint8Array(readFileSync(join(root, name))));
  const damage = fc.tuple(fc.nat(samples.length - 1), fc.nat(), fc.nat(255), fc.boolean());
  fc.assert(
    fc.property(damage, ([which, place, byte, cut]) => {
      const source = samples[which] as Uint8Array;
      const at = place % source.length;
      const bytes = cut ? source.slice(0, at) : source.slice();
      if (!cut) bytes[at] = byte;
      try {
        fromBinary(bytes, { file: 'damaged.onnx' });
      } catch (error) {
        expect(error).toBeInstanceOf(ModelError);
        expect((error as Error).message).not.toContain('\n');
      }
    }),
    { numRuns: 3000, seed: 1 },
  );
});
