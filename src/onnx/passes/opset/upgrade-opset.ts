// Brings models of older opsets (7 and later, and what exporters wrote at 1 to 6) to the working opset, so that every rule of the op table holds.
// Models at that opset or later stay as they are. The conversions, op by op, are in opset-steps.ts.

import { ModelError } from '../../core/errors.js';
import { given } from '../../core/given.js';
import type { Tensor } from '../../core/tensor.js';
import { Names } from '../../ir/builder.js';
import { type Attribute, allNodes, type Graph, Node, Value } from '../../ir/graph.js';
import { aModel, defaultIrVersion, defaultOpset, type FunctionDef, type Model } from '../../ir/model.js';
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
import { type Rewriting, stepsOf } from './opset-steps.js';

/** The first IR version whose initializers need not be inputs. */
const initializersStandAlone = 4;

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
    new Upgrade(model.opset, model.graph).graph(model.graph);
    model.opsets.set('', target);
    changed = true;
  } else for (const node of allNodes(model.graph)) checkNode(node, model.opset);
  model.functions = model.functions.map((f): FunctionDef => {
    const from = f.opsets.get('');
    if (from === undefined || from >= target) return f;
    new Upgrade(from, f.body, true).graph(f.body);
    changed = true;
    return { ...f, opsets: new Map([...f.opsets, ['', target]]) };
  });
  if (changed && model.irVersion < defaultIrVersion) model.irVersion = defaultIrVersion;
  return changed;
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

  constructor(
    private readonly from: number,
    graph: Graph,
    /** A function's body has no initializers: its constants are Constant nodes. */
    private readonly constantNodes = false,
  ) {
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
        const steps = stepsOf(old.opType, this.from);
        const [unknown] = [...old.attributes].find(([, a]) => a.kind === 'ref') ?? [];
        rewriting.subject = old;
        if (steps.length > 0 && unknown !== undefined)
          rewriting.fail(`its ${unknown} is what each call of the function around it says`);
        for (const step of steps) {
          rewriting.subject = node;
          node = step(node, rewriting);
        }
      }
      made.push(node);
      for (const n of made) this.infer(n);
      return made;
    });
  }

  /** Ranks decide some conversions: types are inferred as nodes come. What is stated and fits is kept. */
  private infer(node: Node): void {
    if (this.constantNodes || definitionOf(node, target) === undefined) return;
    const types = inferTypes(node, target);
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
        throw new ModelError(`${op} "${name}": cannot be brought to opset 17, ${why}`, { op, node: name });
      },
    };
  }
}
