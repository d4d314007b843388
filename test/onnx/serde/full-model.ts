// A model that has a value in every field that ONNX's format knows, but those that exclude each other.
import { onnx } from '../../../src/onnx/serde/generated/onnx.js';

const { AttributeType } = onnx.AttributeProto;
const { DataType } = onnx.TensorProto;
const text = (s: string): Uint8Array => new TextEncoder().encode(s);
const props = (...pairs: [string, string][]) => pairs.map(([key, value]) => ({ key, value }));
const meta = (of: string) => props(['of', of], ['café', '日本']);

const scalar = (name: string, value: number): onnx.TensorProto.$Properties => ({
  name,
  data_type: DataType.FLOAT,
  float_data: [value],
  doc_string: `${name} doc`,
  metadata_props: meta(name),
});
const sparse = (name: string): onnx.SparseTensorProto.$Properties => ({
  values: { ...scalar(name, 3), dims: [1] },
  indices: { name: `${name} indices`, dims: [1], data_type: DataType.INT64, int64_data: [4] },
  dims: [2, 3],
});
const float = (...dim: onnx.TensorShapeProto.Dimension.$Properties[]): onnx.TypeProto.$Properties => ({
  tensor_type: { elem_type: DataType.FLOAT, shape: { dim } },
});
const info = (name: string, type: onnx.TypeProto.$Properties): onnx.ValueInfoProto.$Properties => ({
  name,
  type,
  doc_string: `${name} doc`,
  metadata_props: meta(name),
});

const types: readonly onnx.TypeProto.$Properties[] = [
  { ...float({ dim_value: 0, denotation: 'DATA_BATCH' }, { dim_param: 'N' }, {}), denotation: 'IMAGE' },
  { tensor_type: { elem_type: DataType.INT2 } },
  { tensor_type: { elem_type: DataType.FLOAT, shape: {} } },
  { sparse_tensor_type: { elem_type: DataType.DOUBLE, shape: { dim: [{ dim_value: 2, denotation: 'X' }] } } },
  { sequence_type: { elem_type: { optional_type: { elem_type: float({}) } } }, denotation: 'S' },
  { map_type: { key_type: DataType.STRING, value_type: { sequence_type: { elem_type: float() } } } },
  { opaque_type: { domain: 'ai.example', name: 'Blob' } },
  { optional_type: {} },
];

/** A branch that captures `x` and gives it back under another statement of its type. */
const branch = (name: string): onnx.GraphProto.$Properties => ({
  name,
  node: [{ op_type: 'Neg', name: `${name} neg`, input: ['x'], output: ['local'] }],
  output: [info('local', float({ dim_param: 'M' })), info('x', float({}))],
  doc_string: `${name} doc`,
  metadata_props: meta(name),
});

const attributes: readonly onnx.AttributeProto.$Properties[] = [
  { name: 'f', type: AttributeType.FLOAT, f: 0.1 },
  { name: 'minus zero', type: AttributeType.FLOAT, f: -0 },
  { name: 'i', type: AttributeType.INT, i: { low: 0, high: -0x80000000, unsigned: false } },
  { name: 'zero', type: AttributeType.INT, i: 0, doc_string: 'the attribute' },
  { name: 's', type: AttributeType.STRING, s: Uint8Array.of(0xff, 0, 1) },
  { name: 't', type: AttributeType.TENSOR, t: scalar('inner', 1) },
  { name: 'g', type: AttributeType.GRAPH, g: branch('g') },
  { name: 'sparse', type: AttributeType.SPARSE_TENSOR, sparse_tensor: sparse('s') },
  { name: 'tp', type: AttributeType.TYPE_PROTO, tp: { ...float({ dim_value: 7 }), denotation: 'D' } },
  { name: 'floats', type: AttributeType.FLOATS, floats: [1, Number.POSITIVE_INFINITY, -0] },
  { name: 'ints', type: AttributeType.INTS, ints: [-1, { low: -1, high: 0x7fffffff, unsigned: false }] },
  { name: 'no ints', type: AttributeType.INTS },
  { name: 'strings', type: AttributeType.STRINGS, strings: [text('a'), new Uint8Array(), text('é')] },
  { name: 'tensors', type: AttributeType.TENSORS, tensors: [scalar('t0', 1), { ...scalar('', 2), doc_string: '' }] },
  { name: 'graphs', type: AttributeType.GRAPHS, graphs: [branch('g0'), branch('g1')] },
  { name: 'sparses', type: AttributeType.SPARSE_TENSORS, sparse_tensors: [sparse('s0')] },
  { name: 'types', type: AttributeType.TYPE_PROTOS, type_protos: [...types] },
];

const typed: readonly onnx.TensorProto.$Properties[] = [
  { data_type: DataType.FLOAT, dims: [2], float_data: [1.5, -0] },
  { data_type: DataType.UINT8, dims: [2], int32_data: [0, 255] },
  { data_type: DataType.INT8, dims: [2], int32_data: [-128, 127] },
  { data_type: DataType.UINT16, dims: [1], int32_data: [65535] },
  { data_type: DataType.INT16, dims: [1], int32_data: [-32768] },
  { data_type: DataType.INT32, dims: [1], int32_data: [-2147483648] },
  { data_type: DataType.INT64, dims: [2], int64_data: [{ low: 0, high: -0x80000000, unsigned: false }, -1] },
  {
    data_type: DataType.STRING,
    dims: [3],
    string_data: [text('日本'), new Uint8Array(), Uint8Array.of(0x61, 0xff, 0xed, 0xa0, 0x80)],
  },
  { data_type: DataType.BOOL, dims: [2], int32_data: [1, 0] },
  { data_type: DataType.FLOAT16, dims: [1], int32_data: [0xfc00] },
  { data_type: DataType.DOUBLE, dims: [1], double_data: [0.1] },
  { data_type: DataType.UINT32, dims: [1], uint64_data: [4294967295] },
  { data_type: DataType.UINT64, dims: [1], uint64_data: [{ low: -1, high: -1, unsigned: true }] },
  { data_type: DataType.COMPLEX64, dims: [1], float_data: [1, 2] },
  { data_type: DataType.COMPLEX128, dims: [1], double_data: [3, 4] },
  { data_type: DataType.BFLOAT16, dims: [1], int32_data: [0x3f80] },
  ...[17, 18, 19, 20, 24].map((data_type) => ({ data_type, dims: [1], int32_data: [0x7f] })),
  ...[21, 22, 23].map((data_type) => ({ data_type, dims: [3], int32_data: [0x21, 0x03] })),
  ...[25, 26].map((data_type) => ({ data_type, dims: [5], int32_data: [0xe4, 0x01] })),
  { data_type: DataType.FLOAT, dims: [0, 2 ** 40] },
  { data_type: DataType.INT4, dims: [3], raw_data: Uint8Array.of(0x21, 0x03) },
];

/** The bytes. */
export function fullModel(): Uint8Array {
  const initializer = [...typed.map((t, i) => ({ ...t, name: `w${i}` })), scalar('weight', 2), scalar('x', 5)];
  const graph: onnx.GraphProto.$Properties = {
    name: 'main',
    node: [
      {
        op_type: 'Everything',
        name: 'all',
        domain: 'ai.example',
        overload: 'wide',
        input: ['x', '', 'weight'],
        output: ['y', '', 'z'],
        attribute: [...attributes],
        doc_string: 'node doc',
        metadata_props: meta('node'),
        device_configurations: [
          {
            configuration_id: 'pair',
            pipeline_stage: 1,
            sharding_spec: [
              {
                tensor_name: 'x',
                device: [0, 1],
                index_to_device_group_map: [{ key: -1, value: [0, 1] }],
                sharded_dim: [
                  {
                    axis: 0,
                    simple_sharding: [
                      { dim_param: 'N', num_shards: 2 },
                      { dim_value: 4, num_shards: 1 },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      },
      { op_type: 'Relu', domain: 'ai.onnx', input: ['z'], output: ['a'] },
      ...types.map((_, i) => ({ op_type: 'Make', domain: 'ai.example', output: [`v${i}`] })),
    ],
    initializer,
    sparse_initializer: [sparse('sparse')],
    doc_string: 'graph doc',
    input: [info('x', float({ dim_param: 'N' })), { name: 'untyped' }],
    output: [info('y', float({ dim_value: 2 })), info('x', float()), { name: 'a' }, info('weight', float())],
    value_info: [
      ...types.map((t, i) => info(`v${i}`, t)),
      info('z', float()),
      info('y', float({})),
      info('weight', float()),
      info('nobody', float({ dim_param: 'K' })),
    ],
    quantization_annotation: [
      { tensor_name: 'y', quant_parameter_tensor_names: props(['SCALE_TENSOR', 'weight'], ['ZERO_POINT_TENSOR', 'w1']) },
    ],
    metadata_props: meta('graph'),
  };
  return onnx.ModelProto.encode({
    ir_version: 13,
    opset_import: [
      { domain: '', version: 25 },
      { domain: 'ai.example', version: 1 },
    ],
    producer_name: 'by hand',
    producer_version: '1.0',
    domain: 'org.example',
    model_version: { low: -1, high: 0x7fffffff, unsigned: false },
    doc_string: 'model doc',
    graph,
    metadata_props: meta('model'),
    training_info: [{ initialization: { name: 'init' }, algorithm: { name: 'step' }, update_binding: props(['w', 'w2']) }],
    functions: [
      {
        name: 'Twice',
        domain: 'ai.example',
        overload: 'o',
        input: ['p'],
        output: ['q', 'p'],
        attribute: ['alpha'],
        attribute_proto: [{ name: 'beta', type: AttributeType.FLOAT, f: 2 }],
        node: [
          {
            op_type: 'Elu',
            input: ['p'],
            output: ['q'],
            attribute: [{ name: 'alpha', type: AttributeType.FLOAT, ref_attr_name: 'alpha', doc_string: 'from the caller' }],
          },
        ],
        doc_string: 'function doc',
        opset_import: [{ domain: '', version: 25 }],
        value_info: [info('p', float({})), info('q', float())],
        metadata_props: meta('function'),
      },
    ],
    configuration: [{ name: 'pair', num_devices: 2, device: ['cpu', 'gpu'] }],
  }).finish();
}
