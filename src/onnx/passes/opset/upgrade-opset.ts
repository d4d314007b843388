// Brings models of older opsets (7 and later, and what exporters wrote at 1 to 6) to the working opset, so that every rule of the op table holds, or to a
// later one that other graphs have. Models at that opset or later stay as they are. The conversions, op by op, are in opset-steps.ts.

import { ModelError } from '../../core/errors.js';
import { given } from '../../core/given.js';
import type { Tensor } from '../../core/tensor.js';
import { Names } from '../../ir/builder.js';
import { type Attribute, allNodes, type Graph, Node, Value } from '../../ir/graph.js';
import { aModel, defaultIrVersion, defaultOpset, type FunctionDef, irVersionFor, type Model } from '../../ir/model.js';
import { tensorType } from '../../ir/types.js';
import { Uses } from '../../ir/uses.js';
import { mergeTypes } from '../../ir/verify.js';
import { checkForm } from '../../ops/check-signature.js';
import { definitionOf, isStandard } from '../../ops/definition.js';
import { inferTypes } from '../../ops/infer.js';
import { NodeContext } from '../../ops/op-def.js';
import { findSignature } from '../../ops/signature.js';
import { formInForce } from '../../ops/versions.js';
import { declareInputs } from '../infer-shapes.js';
import { stepsOf } from './opset-steps.js';
import type { Rewriting } from './step.js';

/** The first IR version whose initializers need not be inputs. */
const initializersStandAlone = 4;

/** Ops whose last bits are other ones from an opset on, though they mean the same: ONNX Runtime has another kernel for them there. */
const otherKernel: ReadonlyMap<string, number> = new Map([['AveragePool', 19]]);

/** Ops for which ONNX Runtime 1.30 has no kernel from an opset on. */
const noKernel: ReadonlyMap<string, number> = new Map([
  ['GlobalLpPool', 22],
  ['MaxRoiPool', 22],
  ['RoiAlign', 22],
]);

/** The opset that models are brought to. */
const target = defaultOpset;

/**
 * Returns whether the model changed. Results stay the same. Before IR 4 an initializer had to be an input as well, which runtimes never let a
 * caller override: it is taken out of the inputs. Throws ModelError, naming the node, for what has no equal at opset 17, ShapeError for
 * a node that is not what its own opset allows.
 */
export function upgradeOpset(model: Model): boolean {
  given('upgradeOpset', { model }, { model: aModel });
  let changed = false;
  if (model.irVersion < initializersStandAlone) {
    const given = new Set(model.graph.initializers);
    model.graph.inputs = model.graph.inputs.filter((v) => !given.has(v));
    changed = true;
  }
  if (model.opset < target) {
    new Upgrade(model.opset, target, model.graph).graph(model.graph);
    model.opsets.set('', target);
    changed = true;
  } else for (const node of allNodes(model.graph)) checkNode(node, model.opset);
  model.functions = model.functions.map((f): FunctionDef => {
    const from = f.opsets.get('');
    if (from === undefined || from >= target) return f;
    new Upgrade(from, target, f.body, { constantNodes: true }).graph(f.body);
    changed = true;
    return { ...f, opsets: new Map([...f.opsets, ['', target]]) };
  });
  if (changed && model.irVersion < defaultIrVersion) model.irVersion = defaultIrVersion;
  return changed;
}

/**
 * Brings a model of a lower opset to that one; functions of its own keep theirs. Results stay the same, and where an op only gained types or options
 * so does its node. With `sameBits` an op that ONNX Runtime computes by another kernel there is refused too. Throws ModelError, naming the node, for what
 * has no equal there, ShapeError for a node that is not what its own opset allows.
 */
export function raiseOpset(model: Model, opset: number, { sameBits = false }: { readonly sameBits?: boolean } = {}): void {
  if (model.opset >= opset) return;
  new Upgrade(model.opset, opset, model.graph, { sameBits }).graph(model.graph);
  model.opsets.set('', opset);
  model.irVersion = Math.max(model.irVersion, irVersionFor(opset));
}

/** What reads a node takes attributes of the right kind: what its opset does not allow would be left out without a word. */
function checkNode(node: Node, opset: number): void {
  if (!isStandard(node) || findSignature(node.opType) === undefined) return;
  const c = new NodeContext(node, opset);
  const form = formInForce(c, opset);
  if (form !== undefined) checkForm(c, form);
}

class Upgrade {
  private readonly names: Names;
  private readonly uses: Uses;
  /** A function's body has no initializers: its constants are Constant nodes. */
  private readonly constantNodes: boolean;
  private readonly sameBits: boolean;

  constructor(
    private readonly from: number,
    private readonly to: number,
    graph: Graph,
    options: { readonly constantNodes?: boolean; readonly sameBits?: boolean } = {},
  ) {
    this.constantNodes = options.constantNodes === true;
    this.sameBits = options.sameBits === true;
    this.names = Names.of(graph);
    this.uses = new Uses(graph);
  }

  graph(graph: Graph): void {
    graph.nodes = graph.nodes.flatMap((old) => {
      for (const sub of old.subgraphs) {
        declareInputs(old, sub);
        this.graph(sub);
      }
      const made: Node[] = [];
      const rewriting = this.rewriting(graph, made);
      let node = old;
      checkNode(old, this.from);
      if (isStandard(old)) {
        const steps = stepsOf(old.opType, this.from, this.to);
        const [unknown] = [...old.attributes].find(([, a]) => a.kind === 'ref') ?? [];
        rewriting.subject = old;
        const last = noKernel.get(old.opType);
        if (last !== undefined && last <= this.to) rewriting.fail(`ONNX Runtime has no kernel for it from opset ${last} on`);
        const kernel = this.sameBits ? otherKernel.get(old.opType) : undefined;
        if (kernel !== undefined && this.from < kernel && kernel <= this.to)
          rewriting.fail(`ONNX Runtime rounds it otherwise from opset ${kernel} on`);
        if (steps.length > 0 && unknown !== undefined)
          rewriting.fail(`its ${unknown} is what each call of the function around it says`);
        for (const step of steps) {
          rewriting.subject = node;
          node = step(node, rewriting);
        }
      }
      made.push(node);
      if (this.to > target) for (const n of made) this.checkResult(n, rewriting);
      for (const n of made) this.infer(n);
      return made;
    });
  }

  /** A form that no conversion has brought about is refused, not written. */
  private checkResult(node: Node, rewriting: Rewriting & { subject: Node | undefined }): void {
    rewriting.subject = node;
    try {
      checkNode(node, this.to);
    } catch (error) {
      rewriting.fail(error instanceof Error ? error.message : String(error));
    }
  }

  /** Ranks decide some conversions: types are inferred as nodes come. What is stated and fits is kept. */
  private infer(node: Node): void {
    // From opset 17 on none does.
    if (this.constantNodes || this.from >= target || definitionOf(node, this.to) === undefined) return;
    const types = inferTypes(node, this.to);
    node.outputs.forEach((v, i) => {
      const inferred = types[i];
      if (v.name === '' || inferred === undefined) return;
      try {
        v.type = mergeTypes(v.type, inferred) ?? inferred;
      } catch {
        v.type = inferred;
      }
    });
  }

  private rewriting(graph: Graph, made: Node[]): Rewriting & { subject: Node | undefined } {
    const add = (op: string, inputs: readonly (Value | null)[], attributes: Readonly<Record<string, Attribute>> = {}): Value => {
      const name = this.names.unique(`upgrade/${op}`);
      const out = new Value(this.names.unique(`${name}/out`));
      const node = new Node(op, [...inputs], [out], new Map(Object.entries(attributes)), name);
      made.push(node);
      this.infer(node);
      return out;
    };
    const { to } = this;
    return {
      subject: undefined,
      name: (hint) => this.names.unique(hint),
      isRead: (v) => this.uses.isRead(v),
      add,
      constant: (value: Tensor) => {
        if (this.constantNodes) return add('Constant', [], { value: { kind: 'tensor', value } });
        const v = new Value(this.names.unique('upgrade/const'), tensorType(value.dtype, value.dims));
        v.constant = value;
        graph.initializers.push(v);
        return v;
      },
      fail(why: string): never {
        const { opType: op = '', name = '' } = this.subject ?? {};
        throw new ModelError(`${op} "${name}": cannot be brought to opset ${to}, ${why}`, { op, node: name });
      },
    };
  }
}
