// Which row of the op table holds for a node: none for ops the table lacks, and for ai.onnx opsets older than the row's rules.
import type { Node } from '../ir/graph.js';
import { constantOf, type OpDef } from './op-def.js';
import { findOp } from './table.js';
import type { Trait } from './traits.js';

/** True for ops of ai.onnx, under either spelling of its domain. */
export function isStandard(node: Node): boolean {
  return node.domain === '' || node.domain === 'ai.onnx';
}

/** The definition of a node's op where its rules hold at this ai.onnx opset, else undefined. */
export function definitionOf(node: Node, opset: number): OpDef | undefined {
  const def = findOp(node.opType, node.domain);
  return def !== undefined && (!isStandard(node) || opset >= def.since) ? def : undefined;
}

/** Whether that is true of a node's op; never of an op that the table lacks. */
export function hasTrait(node: Node, trait: Trait): boolean {
  return findOp(node.opType, node.domain)?.traits?.includes(trait) ?? false;
}

/** True when computing the node twice may give two results; a Dropout that only infers (its training_mode left out or false) does not. */
export function drawsAtRandom(node: Node): boolean {
  if (!hasTrait(node, 'random')) return false;
  const training = node.inputs[2] ?? undefined;
  return node.opType !== 'Dropout' || (training !== undefined && constantOf(training)?.data[0] !== 0);
}

/**
 * True for a BatchNormalization that takes the statistics of the batch: `training_mode` asks for it, before opset 14 further outputs do, before
 * opset 7 `is_test` = 0.
 */
export function usesBatchStatistics(node: Node): boolean {
  if (!isStandard(node) || node.opType !== 'BatchNormalization') return false;
  const further = node.outputs.slice(1).some((v) => v.name !== '');
  return further || node.int('training_mode', 0) !== 0 || node.int('is_test', 1) === 0;
}
