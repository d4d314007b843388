// Nothing that a file says is lost: protobuf's own reading of the original and of what we write back is the same, for every model of
// ONNX's backend tests and for one that has a value in every field of the format.
import { readFileSync } from 'node:fs';
import onnxProto from 'onnx-proto';
import { expect, it } from 'vitest';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { onnx } from '../../../src/onnx/serde/generated/onnx.js';
import { toBinary } from '../../../src/onnx/serde/to-binary.js';
import { fullModel } from './full-model.js';
import { backendModel, backendModels } from './testdata.js';
import { wireForm } from './wire-form.js';

const names = backendModels();

it(`${names.length} models are the same on the wire`, () => {
  expect(names.length).toBeGreaterThan(1000);
  for (const name of names) {
    const bytes = backendModel(name);
    expect(wireForm(toBinary(fromBinary(bytes, { file: name }))), name).toEqual(wireForm(bytes));
  }
}, 120_000);

it('onnx-proto, a reader that is not ours, finds the same initializer values', () => {
  let compared = 0;
  for (const name of names) {
    const model = fromBinary(backendModel(name), { file: name });
    const { graph } = onnxProto.onnx.ModelProto.decode(toBinary(model));
    const theirs = new Map((graph?.initializer ?? []).map((t) => [t.name, t]));
    for (const { name: value, constant } of model.graph.initializers) {
      if (constant === undefined) continue;
      const t = theirs.get(value);
      expect(t?.dims?.map(Number), `${name}: ${value}`).toEqual([...constant.dims]);
      if (constant.dtype === 'string') expect(t?.stringData?.map((s) => new TextDecoder().decode(s))).toEqual([...constant.data]);
      else expect(Buffer.compare(t?.rawData ?? new Uint8Array(), constant.bytes), `${name}: ${value}`).toBe(0);
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(500);
}, 120_000);

it('a model with every field of the format is the same on the wire', () => {
  const bytes = fullModel();
  expect(wireForm(toBinary(fromBinary(bytes)))).toEqual(wireForm(bytes));
});

it('training_info and configuration are kept byte for byte', () => {
  const { unread } = fromBinary(fullModel());
  expect(unread.map((u) => u.field)).toEqual(['training_info', 'configuration']);
  expect(fromBinary(toBinary(fromBinary(fullModel()))).unread).toEqual(unread);
});

it('what is written twice is written the same', () => {
  const once = toBinary(fromBinary(fullModel()));
  expect(Buffer.compare(toBinary(fromBinary(once)), once)).toBe(0);
});

it('that model leaves no field of proto/onnx.proto out', () => {
  const schema = readFileSync(new URL('../../../proto/onnx.proto', import.meta.url), 'utf8').replace(/\/\/.*/g, '');
  const fields = Array.from(schema.matchAll(/^\s*(?:optional |repeated )?[\w]+ (\w+) = \d+(?: \[.*\])?;/gm), (m) => m[1] ?? '');
  const keys = new Set<string>();
  JSON.stringify(onnx.ModelProto.decode(fullModel()), (key, value) => {
    if (value !== null && !(Array.isArray(value) && value.length === 0)) keys.add(key);
    return value;
  });
  // Segments are refused, external data need a file (external-data.test.ts), the initial bindings stand in `unread` like the rest.
  const absent = new Set(['segment', 'begin', 'end', 'external_data', 'data_location', 'initialization_binding']);
  expect(new Set(fields).size).toBeGreaterThan(80);
  expect(fields.filter((f) => !keys.has(f) && !absent.has(f))).toEqual([]);
});
