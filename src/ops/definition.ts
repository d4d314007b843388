// Which row of the op table holds for a node: none for other domains, ops the table lacks, and opsets older than the row's rules.
import type { Node } from '../ir/graph.js';
import type { OpDef } from './op-def.js';
import { findOp } from './table.js';

/** True for ops of ai.onnx, under either spelling of its domain. */
export function isStandard(node: Node): boolean {
  return node.domain === '' || node.domain === 'ai.onnx';
}

/** The definition of a node's op where its rules hold at this opset, else undefined. */
export function definitionOf(node: Node, opset: number): OpDef | undefined {
  const def = isStandard(node) ? findOp(node.opType) : undefined;
  return def !== undefined && opset >= (def.versions[0] ?? 1) ? def : undefined;
}
