// Shape inference against ONNX's backend tests: what a node test declares for its outputs must be what the table infers from its inputs.
import { expect, test } from 'vitest';
import { allNodes } from '../../../src/onnx/ir/graph.js';
import { formatType } from '../../../src/onnx/ir/types.js';
import { mergeTypes } from '../../../src/onnx/ir/verify.js';
import { definitionOf } from '../../../src/onnx/ops/definition.js';
import { inferShapes } from '../../../src/onnx/passes/infer-shapes.js';
import { fromBinary } from '../../../src/onnx/serde/from-binary.js';
import { backendModel, backendModels } from '../serde/testdata.js';

test('node tests of opset 13 and later', () => {
  const counts = { models: 0, outputs: 0, exact: 0, dtype: 0 };
  const wrong: string[] = [];
  for (const name of backendModels().filter((n) => n.includes('/node/'))) {
    const { graph, opset } = fromBinary(backendModel(name));
    if (opset < 13 || [...allNodes(graph)].some((n) => definitionOf(n, opset) === undefined)) continue;
    const declared = graph.outputs.map((v) => v.type);
    for (const node of graph.nodes) for (const v of node.outputs) v.type = undefined;
    counts.models++;
    try {
      inferShapes(graph, { opset });
      graph.outputs.forEach((v, i) => {
        counts.outputs++;
        if (formatType(v.type) === formatType(declared[i])) counts.exact++;
        else {
          mergeTypes(declared[i], v.type);
          if (process.env.SHOW) console.log(`${name}: ${formatType(v.type)} for ${formatType(declared[i])}`);
        }
      });
    } catch (error) {
      wrong.push(`${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  console.log(counts);
  expect(wrong).toEqual([]);
});
