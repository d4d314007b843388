// Structure-aware damage to an ONNX model: every mutant is a well-formed protobuf message, so that it gets past the decoder to what reads it.
// One draw of one seed always gives the same mutant.
const dist = (path) => import(new URL(`../../../dist/${path}`, import.meta.url).href);
const { onnx } = await dist('onnx/serde/generated/onnx.js');
const { toHalves } = await dist('onnx/serde/int64.js');
const { Random } = await dist('onnx/core/random.js');
const { signatures } = await dist('onnx/ops/signatures.js');

const { ModelProto } = onnx;
const { AttributeType } = onnx.AttributeProto;
const text = (s) => new TextEncoder().encode(s);

const integers = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  -2n,
  7n,
  63n,
  64n,
  65n,
  1000n,
  100000n,
  10n ** 7n,
  10n ** 9n,
  2n ** 31n - 1n,
  10n ** 12n,
  2n ** 53n + 1n,
].concat([2n ** 63n - 1n, -(2n ** 63n), -(10n ** 9n)]);
const floats = [0, 1, -1, 0.5, 1e-30, 1e9, 1e30, 3.4e38, -1e9, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const strings = [
  '',
  'constructor',
  '__proto__',
  'toString',
  'none',
  'mean',
  'SAME_UPPER',
  'SAME_LOWER',
  'VALID',
  'linear',
  'cubic',
  'reflect',
  'bidirectional',
].concat(['ij,jk->ik', '...i->...', 'i'.repeat(3000), '\u0000', 'a/b', 'NaN', '1e9']);
const opTypes = Object.keys(signatures)
  .map((name) => name.split('.').at(-1))
  .concat(['constructor', '__proto__', 'hasOwnProperty', '', 'Relu'.repeat(100)]);
const dtypes = [0, 1, 1, 1, 2, 3, 6, 7, 7, 8, 9, 10, 11, 14, 16, 17, 22, 99];
const opsets = [0n, 1n, 5n, 6n, 7n, 9n, 11n, 12n, 13n, 17n, 18n, 21n, 22n, 23n, 24n, 26n, 27n, 1000000000n];

/** `model` is the decoded message; the bytes of its `draw`-th mutant. */
export function mutant(model, seed, draw) {
  const random = new Random(seed, `mutant ${draw}`);
  const below = (n) => Math.floor(random.uniform() * n);
  const one = (list) => list[below(list.length)];
  const m = ModelProto.decode(ModelProto.encode(model).finish());
  const mutator = new Mutator(m, below, one);
  for (let n = 1 + below(3); n > 0; n--) mutator.step();
  return ModelProto.encode(m).finish();
}

class Mutator {
  constructor(model, below, one) {
    this.model = model;
    this.below = below;
    this.one = one;
    this.graphs = [];
    this.collect(model.graph);
    for (const f of model.functions ?? []) this.graphs.push(f);
  }

  collect(graph) {
    if (!graph) return;
    this.graphs.push(graph);
    for (const node of graph.node ?? []) for (const a of node.attribute ?? []) this.collect(a.g);
  }

  int = () => toHalves(this.one(integers));
  ints = () => Array.from({ length: this.one([0, 1, 2, 3, 4, 5, 8, 70, 3000]) }, this.int);

  step() {
    const graph = this.one(this.graphs);
    const node = graph.node?.length > 0 ? this.one(graph.node) : undefined;
    const kinds = ['constant', 'constant', 'input', 'input', 'versions', 'info'];
    if (node)
      kinds.push('attribute', 'attribute', 'attribute', 'attribute', 'kind', 'op', 'edge', 'edge', 'output', 'order', 'add');
    if (graph.initializer?.length > 0) kinds.push('data', 'data');
    this[this.one(kinds)](graph, node);
  }

  /** The value of an attribute, or of one that its op may have. */
  attribute(_, node) {
    const a = this.one(node.attribute?.length > 0 && this.below(3) > 0 ? node.attribute : [this.newAttribute(node)]);
    if (!a) return;
    switch (a.type) {
      case AttributeType.INT:
        a.i = this.int();
        break;
      case AttributeType.FLOAT:
        a.f = this.one(floats);
        break;
      case AttributeType.STRING:
        a.s = text(this.one(strings));
        break;
      case AttributeType.INTS:
        if (a.ints?.length > 0 && this.below(3) > 0) a.ints[this.below(a.ints.length)] = this.int();
        else a.ints = this.ints();
        break;
      case AttributeType.FLOATS:
        a.floats = Array.from({ length: this.below(6) }, () => this.one(floats));
        break;
      case AttributeType.STRINGS:
        a.strings = Array.from({ length: this.below(4) }, () => text(this.one(strings)));
        break;
      case AttributeType.TENSOR:
        if (a.t) this.tensor(a.t);
        break;
      default:
    }
  }

  newAttribute(node) {
    const known = Object.entries((Object.hasOwn(signatures, node.op_type) ? signatures[node.op_type] : {}).attributes ?? {});
    if (known.length === 0) return undefined;
    const [name, { kind }] = this.one(known);
    const type = AttributeType[kind.toUpperCase()];
    if (type === undefined || node.attribute?.some((a) => a.name === name)) return undefined;
    const a = { name, type };
    node.attribute = [...(node.attribute ?? []), a];
    return a;
  }

  /** Another kind, no attribute, another name, twice. */
  kind(_, node) {
    const list = node.attribute ?? [];
    if (list.length === 0) return;
    const at = this.below(list.length);
    const a = list[at];
    switch (this.below(4)) {
      case 0:
        list[at] = {
          name: a.name,
          type: this.one([1, 2, 3, 6, 7, 8]),
          i: this.int(),
          ints: this.ints(),
          f: this.one(floats),
        };
        break;
      case 1:
        list.splice(at, 1);
        break;
      case 2:
        a.name = this.one(strings);
        break;
      default:
        list.push(a);
    }
  }

  op(_, node) {
    if (this.below(4) === 0) node.domain = this.one(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft', 'constructor', 'my.own']);
    else node.op_type = this.one(opTypes);
  }

  names(graph) {
    const inner = (graph.node ?? []).flatMap((n) => n.output ?? []);
    const given = (graph.input ?? []).map((v) => v.name ?? v);
    return [...inner, ...given, ...(graph.initializer ?? []).map((t) => t.name)];
  }

  /** An input taken away, left out, exchanged, added. */
  edge(graph, node) {
    const inputs = node.input ?? [];
    const at = this.below(inputs.length + 1);
    const other = this.one(this.names(graph)) ?? '';
    if (this.below(4) === 0) inputs.splice(at, 1);
    else inputs[at] = this.one(['', other, other, 'nowhere']);
    node.input = inputs;
  }

  output(graph, node) {
    const outputs = node.output ?? [];
    const at = this.below(outputs.length + 1);
    if (this.below(3) === 0) outputs.splice(at, 1);
    else outputs[at] = this.one(['', `new${at}`, this.one(this.names(graph)) ?? '']);
    node.output = outputs;
  }

  order(graph) {
    const at = this.below(graph.node.length);
    const [node] = graph.node.splice(at, 1);
    if (this.below(2) === 0) graph.node.splice(this.below(graph.node.length + 1), 0, node);
  }

  /** A node of any op behind one of the graph, whose readers it takes over. */
  add(graph, node) {
    const [name] = node.output ?? [];
    if (!name) return;
    const inner = `${name}_inner`;
    node.output[0] = inner;
    const more = Array.from({ length: this.below(3) }, () => this.one(this.names(graph)) ?? '');
    const added = { op_type: this.one(opTypes), name: 'added', input: [inner, ...more], output: [name] };
    graph.node.splice(graph.node.indexOf(node) + 1, 0, added);
    this.attribute(graph, added);
  }

  /** An input becomes a constant: sizes, axes, indices. */
  constant(graph) {
    const typed = (graph.input ?? []).filter((v) => v.type?.tensor_type?.shape);
    if (typed.length === 0) return;
    const small = typed.filter((v) => [6, 7].includes(v.type.tensor_type.elem_type));
    const v = this.one(small.length > 0 && this.below(4) > 0 ? small : typed);
    const { elem_type, shape } = v.type.tensor_type;
    const dims = (shape.dim ?? []).map((d) => Number(d.dim_value?.low ?? d.dim_value ?? 1));
    const count = dims.reduce((a, b) => a * b, 1);
    if (!(count >= 0 && count <= 4096)) return;
    const t = { name: v.name, data_type: elem_type, dims: dims.map((d) => toHalves(BigInt(d))) };
    const simple = this.below(3) > 0;
    const drawn = () => (simple ? toHalves(BigInt(this.below(4))) : this.int());
    if (elem_type === 7) t.int64_data = Array.from({ length: count }, drawn);
    else if (elem_type === 6 || elem_type === 9) t.int32_data = Array.from({ length: count }, () => this.below(2));
    else if (elem_type === 1)
      t.float_data = Array.from({ length: count }, () => (simple ? this.below(8) / 4 - 1 : this.one(floats)));
    else return;
    graph.initializer = [...(graph.initializer ?? []), t];
    if (this.below(4) > 0) graph.input = graph.input.filter((i) => i !== v);
  }

  data(graph) {
    this.tensor(this.one(graph.initializer));
  }

  tensor(t) {
    const dims = t.dims ?? [];
    switch (this.below(4)) {
      case 0:
        if (dims.length > 0) dims[this.below(dims.length)] = this.int();
        break;
      case 1:
        t.data_type = this.one(dtypes);
        break;
      case 2:
        t.dims = this.one([[], [...dims, toHalves(1n)], dims.slice(1), [toHalves(0n)]]);
        break;
      default:
        this.values(t);
    }
  }

  values(t) {
    if (t.int64_data?.length > 0) t.int64_data[this.below(t.int64_data.length)] = this.int();
    else if (t.float_data?.length > 0) t.float_data[this.below(t.float_data.length)] = this.one(floats);
    else if (t.raw_data?.length > 0) {
      const raw = Uint8Array.from(t.raw_data);
      const view = new DataView(raw.buffer);
      if (t.data_type === 7 && raw.length >= 8)
        view.setBigInt64(8 * this.below(Math.floor(raw.length / 8)), this.one(integers), true);
      else if (t.data_type === 1 && raw.length >= 4)
        view.setFloat32(4 * this.below(Math.floor(raw.length / 4)), this.one(floats), true);
      else raw[this.below(raw.length)] = this.below(256);
      t.raw_data = raw;
    }
  }

  input(graph) {
    this.type(this.one(graph.input ?? []));
  }

  info(graph) {
    this.type(this.one([...(graph.output ?? []), ...(graph.value_info ?? [])]));
  }

  /** The declared type of a value. */
  type(v) {
    const t = v?.type?.tensor_type;
    if (!t) return;
    const dim = this.one([
      () => ({ dim_value: this.int() }),
      () => ({ dim_param: this.one(['N', 'M', '', 'constructor']) }),
      () => ({}),
    ]);
    switch (this.below(5)) {
      case 0:
        t.elem_type = this.one(dtypes);
        break;
      case 1:
        t.shape = undefined;
        break;
      case 2:
        t.shape = { dim: Array.from({ length: this.one([0, 1, 2, 3, 4, 5, 70]) }, dim) };
        break;
      default:
        if (t.shape?.dim?.length > 0) t.shape.dim[this.below(t.shape.dim.length)] = dim();
    }
  }

  versions() {
    const { model } = this;
    if (this.below(6) === 0) model.ir_version = this.int();
    else if (model.opset_import?.length > 0) this.one(model.opset_import).version = toHalves(this.one(opsets));
  }
}
