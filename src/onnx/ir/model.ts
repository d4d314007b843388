// The model: a graph with its versions and metadata (ModelProto), and functions local to it (FunctionProto).
import { given, instance } from '../core/given.js';
import { cloneGraph } from './clone.js';
import type { Attribute, Graph } from './graph.js';

/** IR version and opset that prognet emits by default. */
export const defaultIrVersion = 8;
export const defaultOpset = 17;
/** What producer_name says; producer_version is given by whoever writes. */
export const producer = 'prognet';

/** The IR version that an ONNX release pairs with an opset (ONNX, Versioning.md): readers of that opset know it. */
export function irVersionFor(opset: number): number {
  if (opset <= 18) return defaultIrVersion;
  if (opset <= 20) return 9;
  return opset <= 22 ? 10 : Math.min(opset - 12, 13);
}

/** A function that nodes may call by its domain and name. */
export interface FunctionDef {
  /** Its namespace. */
  readonly domain: string;
  /** What it is called. */
  readonly name: string;
  /** Which of several of the name. */
  readonly overload: string;
  /** Names of the attributes without default. */
  readonly attributes: readonly string[];
  /** Attributes with their defaults. */
  readonly attributeDefaults: ReadonlyMap<string, Attribute>;
  /** Body: its inputs and outputs are the function's own. */
  readonly body: Graph;
  /** Domain to version, as of a model. */
  readonly opsets: ReadonlyMap<string, number>;
}

/** An ONNX model in memory; `fromBinary` reads one, `toBinary` writes one. */
export class Model {
  /** ONNX's IR version. */
  irVersion = defaultIrVersion;
  /** Domain to version; '' is ai.onnx. */
  opsets = new Map<string, number>([['', defaultOpset]]);
  /** The program that wrote it. */
  producerName = producer;
  /** That program's version. */
  producerVersion = '';
  /** The model's namespace. */
  domain = '';
  /** The version that its author gave it. */
  modelVersion = 0n;
  /** A text for people. */
  doc = '';
  /** Texts by key. */
  metadata = new Map<string, string>();
  /** Functions that its nodes may call. */
  functions: FunctionDef[] = [];
  /** training_info and configuration as encoded messages, kept for the round trip. */
  unread: { readonly field: 'training_info' | 'configuration'; readonly bytes: Uint8Array }[] = [];

  constructor(
    /** The graph. */
    public graph: Graph,
  ) {}

  /** The ai.onnx opset. */
  get opset(): number {
    return this.opsets.get('') ?? defaultOpset;
  }
}

/** A copy whose graph and functions may be changed without touching the original; tensors are shared. */
export function cloneModel(model: Model): Model {
  given('cloneModel', { model }, { model: aModel });
  const copy = new Model(cloneGraph(model.graph));
  copy.irVersion = model.irVersion;
  copy.opsets = new Map(model.opsets);
  copy.producerName = model.producerName;
  copy.producerVersion = model.producerVersion;
  copy.domain = model.domain;
  copy.modelVersion = model.modelVersion;
  copy.doc = model.doc;
  copy.metadata = new Map(model.metadata);
  copy.functions = model.functions.map((f) => ({ ...f, body: cloneGraph(f.body) }));
  copy.unread = [...model.unread];
  return copy;
}

export const aModel = instance(Model, 'a model');
