// Small files that ask for much: each ends soon, with a graph of sensible size or one line of refusal.
import { describe, expect, it } from 'vitest';
import { grad } from '../../src/onnx/autodiff/grad.js';
import { PrognetError } from '../../src/onnx/core/errors.js';
import { float32, int64, Tensor } from '../../src/onnx/core/tensor.js';
import { toBinary } from '../../src/onnx/serde/to-binary.js';
import { type Small, smallGraph, smallModel } from './small-model.js';

/** The gradient's bytes, or the refusal. */
function gradientOf(small: Small, opset?: number): { readonly bytes?: number; readonly refused?: string } {
  const start = performance.now();
  try {
    return { bytes: toBinary(grad(smallModel(small, opset), { of: 'y', by: ['x'] })).length };
  } catch (error) {
    if (!(error instanceof PrognetError)) throw error;
    return { refused: error.message };
  } finally {
    expect(performance.now() - start).toBeLessThan(2000);
  }
}

const loopBody = smallGraph(
  {
    inputs: { i: ['int64', []], go: ['bool', []], v: ['float32', [1]] },
    nodes: [
      ['Identity', ['go'], ['on']],
      ['Mul', ['v', 'v'], ['w']],
    ],
    outputs: ['on', 'w'],
  },
  new Map(),
  'body',
);

const x = (...shape: number[]) => ({ x: ['float32', shape] }) as const;
const sized = (value: number) => int64([value]);
const zeros = (count: number) => int64(new Array<number>(count).fill(0));

/** The body of a SequenceMap: so many nodes, one behind the other. */
function chain(length: number) {
  const nodes = Array.from({ length }, (_, i) => ['Sin', [i === 0 ? 'e' : `n${i - 1}`], [`n${i}`]] as const);
  return smallGraph({ inputs: { e: ['float32', [1]] }, nodes, outputs: [`n${length - 1}`] }, new Map(), 'chain');
}

describe('a graph of sensible size', () => {
  const cases: Record<string, Small> = {
    'LpPool by 10000': {
      inputs: x(1, 1, 20000, 20000),
      nodes: [['LpPool', ['x'], ['y'], { kernel_shape: [10000n, 10000n] }]],
    },
    'LpPool by 2^31, SAME_UPPER': {
      inputs: x(1, 3, 32, 32),
      nodes: [['LpPool', ['x'], ['y'], { kernel_shape: [2147483647n, 2n], auto_pad: 'SAME_UPPER' }]],
    },
    'AveragePool by 2^31, SAME_UPPER': {
      inputs: x(1, 3, 32, 32),
      nodes: [['AveragePool', ['x'], ['y'], { kernel_shape: [2147483647n, 2n], auto_pad: 'SAME_UPPER' }]],
    },
    'AveragePool over an open image by 10^9': {
      inputs: { x: ['float32', [1, 1, 'N']] },
      nodes: [['AveragePool', ['x'], ['y'], { kernel_shape: [1_000_000_000n] }]],
    },
    'AveragePool of 10^9': { inputs: x(1, 1, 1e9), nodes: [['AveragePool', ['x'], ['y'], { kernel_shape: [2n] }]] },
    'MaxPool by 30000, in tiles': {
      inputs: x(1, 1, 30000, 30000),
      nodes: [['MaxPool', ['x'], ['y'], { kernel_shape: [30000n, 30000n], strides: [30000n, 30000n] }]],
    },
    'Conv of 10^6 by 10^5': { inputs: { ...x(1, 1, 1e6), w: ['float32', [1, 1, 1e5]] }, nodes: [['Conv', ['x', 'w'], ['y']]] },
    'Conv in channels of 10^6 by 10^5': {
      inputs: { w: ['float32', [1, 4, 1e6]], x: ['float32', [1, 4, 1e5]] },
      nodes: [['Conv', ['w', 'x'], ['y']]],
    },
    'Conv of 1024 by 1024 in 4 channels by 3 by 3': {
      inputs: { w: ['float32', [1, 4, 1024, 1024]], x: ['float32', [4, 4, 3, 3]] },
      nodes: [['Conv', ['w', 'x'], ['y']]],
    },
    'Conv by 1 by 1100 in 2 groups': {
      inputs: { w: ['float32', [1, 2, 1, 1100]], x: ['float32', [2, 1, 1, 1100]] },
      nodes: [['Conv', ['w', 'x'], ['y'], { group: 2n }]],
    },
    'MaxPool by 2 over 4096 by 4096, in tiles': {
      inputs: x(1, 1, 4096, 4096),
      nodes: [['MaxPool', ['x'], ['y'], { kernel_shape: [2n, 2n], strides: [2n, 2n] }]],
    },
    'MaxPool by 40, in tiles': {
      inputs: x(1, 1, 1600, 1600),
      nodes: [['MaxPool', ['x'], ['y'], { kernel_shape: [40n, 40n], strides: [40n, 40n] }]],
    },
    'AveragePool by 2 over 2048 by 2048': {
      inputs: x(1, 1, 2048, 2048),
      nodes: [['AveragePool', ['x'], ['y'], { kernel_shape: [2n, 2n] }]],
    },
    'NegativeLogLikelihoodLoss of 10^8 classes': {
      inputs: { ...x(2, 1e8), t: ['int64', [2]] },
      nodes: [['NegativeLogLikelihoodLoss', ['x', 't'], ['y']]],
    },
    'LRN of 10^6 channels': { inputs: x(1, 1e6, 2), nodes: [['LRN', ['x'], ['y'], { size: 5n }]] },
    'OneHot of 10^9': {
      constants: { i: int64([1, 2]), d: int64(1_000_000_000), v: float32([0, 1]) },
      nodes: [
        ['OneHot', ['i', 'd', 'v'], ['o']],
        ['ReduceSum', ['o'], ['s']],
        ['Mul', ['x', 's'], ['y']],
      ],
    },
    'Range to 10^12': {
      constants: { a: int64(0), b: int64(1e12), c: int64(1) },
      inputs: x(1),
      nodes: [
        ['Range', ['a', 'b', 'c'], ['r']],
        ['Cast', ['r'], ['q'], { to: 1n }],
        ['Mul', ['x', 'q'], ['y']],
      ],
    },
    'ConstantOfShape of 10^12': {
      constants: { s: sized(1e12) },
      inputs: x(1),
      nodes: [
        ['ConstantOfShape', ['s'], ['r']],
        ['Mul', ['x', 'r'], ['y']],
      ],
    },
    'Tile by 10^9': { inputs: x(1), constants: { r: sized(1e9) }, nodes: [['Tile', ['x', 'r'], ['y']]] },
    'Loop of 10^9': {
      inputs: x(1),
      constants: { n: int64(1e9), c: new Tensor('bool', [], Uint8Array.of(1)) },
      nodes: [['Loop', ['n', 'c', 'x'], ['y'], { body: loopBody }]],
    },
    'Split into a sequence of 10^9': {
      inputs: x(1e9),
      nodes: [
        ['SplitToSequence', ['x'], ['s']],
        ['SequenceLength', ['s'], ['n']],
        ['Cast', ['n'], ['f'], { to: 1n }],
        ['Mul', ['x', 'f'], ['y']],
      ],
    },
    'shapes that double 31 times': {
      inputs: x(4),
      nodes: [
        ['Shape', ['x'], ['s0']],
        ...Array.from({ length: 31 }, (_, i) => ['Concat', [`s${i}`, `s${i}`], [`s${i + 1}`], { axis: 0n }] as const),
        ['Size', ['s31'], ['n']],
        ['Cast', ['n'], ['f'], { to: 1n }],
        ['Mul', ['x', 'f'], ['y']],
      ],
    },
    'sizes that are added to themselves 40 times': {
      inputs: { x: ['float32', ['N']] },
      nodes: [
        ['Shape', ['x'], ['s0']],
        ...Array.from({ length: 40 }, (_, i) => ['Add', [`s${i}`, `s${i}`], [`s${i + 1}`]] as const),
        ['Expand', ['x', 's40'], ['y']],
      ],
    },
  };
  for (const [name, small] of Object.entries(cases)) {
    it(name, () => {
      const { bytes, refused } = gradientOf(small);
      expect(refused).toBe(undefined);
      expect(bytes).toBeLessThan(20_000);
    });
  }
  it('Col2Im of 2048 places by 1024', () => {
    const small: Small = {
      inputs: x(1, 1024, 2048),
      constants: { s: sized(3071), b: sized(1024) },
      nodes: [['Col2Im', ['x', 's', 'b'], ['y']]],
    };
    expect(gradientOf(small, 18).bytes).toBeLessThan(20_000);
  });
  it('DFT of 10^9, one side', () => {
    const small: Small = {
      inputs: x(1, 1e9, 2),
      nodes: [['DFT', ['x'], ['y'], { inverse: 1n, onesided: 1n }]],
    };
    expect(gradientOf(small, 20).bytes).toBeLessThan(20_000);
  });
});

describe('one line of refusal', () => {
  const cases: Record<string, readonly [Small, string]> = {
    'Det of 3000': [
      { inputs: x(3000, 3000), nodes: [['Det', ['x'], ['y']]] },
      'Det "det": the gradient of a matrix of 3000 by 3000: 9000000 elements of a constant, expected 0 to 1048576',
    ],
    'Unsqueeze along 10^8 axes': [
      { inputs: { ...x(1), s: ['int64', [1e8]] }, nodes: [['Unsqueeze', ['x', 's'], ['y']]] },
      'Unsqueeze "unsqueeze": the output: 100000001 axes, expected 0 to 64',
    ],
    'Squeeze along 70 axes': [
      { inputs: x(1, 1), constants: { a: zeros(70) }, nodes: [['Squeeze', ['x', 'a'], ['y']]] },
      'Squeeze "squeeze": axes: 70 axes, expected 0 to 64',
    ],
    'ReduceMax along 70 axes': [
      { inputs: x(1, 1), nodes: [['ReduceMax', ['x'], ['y'], { axes: new Array<bigint>(70).fill(0n) }]] },
      'ReduceMax "reducemax": attribute "axes" names 70 axes, expected 0 to 64',
    ],
    'Expand to 10^8 axes': [
      { inputs: { ...x(1), s: ['int64', [1e8]] }, nodes: [['Expand', ['x', 's'], ['y']]] },
      'Expand "expand": input 1: 100000000 axes, expected 0 to 64',
    ],
    'Conv of 70 axes, ranks unknown': [
      {
        inputs: { x: ['float32', undefined], w: ['float32', undefined] },
        nodes: [['Conv', ['x', 'w'], ['y'], { kernel_shape: new Array<bigint>(70).fill(1n) }]],
      },
      'Conv "conv": the kernel: 70 axes, expected 0 to 64',
    ],
    'ConvTranspose of 70 axes, ranks unknown': [
      {
        inputs: { x: ['float32', undefined], w: ['float32', undefined] },
        nodes: [['ConvTranspose', ['x', 'w'], ['y'], { kernel_shape: new Array<bigint>(70).fill(1n) }]],
      },
      'ConvTranspose "convtranspose": the kernel: 70 axes, expected 0 to 64',
    ],
    'an input of 70 axes': [
      { inputs: x(...new Array<number>(70).fill(1)), nodes: [['Relu', ['x'], ['y']]] },
      `Relu "relu": output 0 would be float32[${new Array(70).fill(1)}]: 70 axes, expected 0 to 64`,
    ],
    'a constant shape of 70 axes': [
      {
        inputs: x(1),
        constants: { s: zeros(70) },
        nodes: [
          ['ConstantOfShape', ['s'], ['c']],
          ['Add', ['x', 'c'], ['y']],
        ],
      },
      'ConstantOfShape "constantofshape": input 0: 70 axes, expected 0 to 64',
    ],
    'sizes that are each exact, their product not': [
      { inputs: x(1, 1), constants: { r: int64([1e9, 1e9]) }, nodes: [['Tile', ['x', 'r'], ['y']]] },
      'Tile "tile": output 0 would be float32[1000000000,1000000000]: 1000000000000000000 elements, expected 0 to 9007199254740991',
    ],
    'a SequenceMap of 1024 elements over 65 nodes': [
      {
        inputs: x(1024),
        nodes: [
          ['SplitToSequence', ['x'], ['s']],
          ['SequenceMap', ['s'], ['m'], { body: chain(65) }],
          ['ConcatFromSequence', ['m'], ['y'], { axis: 0n }],
        ],
      },
      'SequenceMap "sequencemap" written out for each element: 66560 nodes, expected 0 to 65536',
    ],
    'Expand to -1': [
      {
        inputs: x(1),
        constants: { s: sized(-1), e: float32([1]) },
        nodes: [
          ['Expand', ['e', 's'], ['f']],
          ['Add', ['x', 'f'], ['y']],
        ],
      },
      'Expand "expand": output 0 would be float32[-1]: -1 is no size',
    ],
    'a bias of rank 4': [
      { inputs: { ...x(1, 1, 3, 3), w: ['float32', [1, 1, 2, 2]] }, nodes: [['Conv', ['x', 'w', 'w'], ['y']]] },
      'Conv "conv": the bias must have rank 1, it is float32[1,1,2,2]',
    ],
    'ConvTranspose in 10^7 groups': [
      {
        inputs: { ...x(1, 1, 3, 3), w: ['float32', [1, 1, 2, 2]] },
        nodes: [['ConvTranspose', ['x', 'w'], ['y'], { group: 10_000_000n }]],
      },
      'ConvTranspose "convtranspose": 1 channels of X do not divide into 10000000 groups',
    ],
    'groups of weights whose shape is not known': [
      { inputs: { ...x(1, 1, 3, 3), w: ['float32', undefined] }, nodes: [['Conv', ['x', 'w'], ['y'], { group: 0n }]] },
      'Conv "conv": group is [0], expected 1 or more',
    ],
    'kernel -1': [
      { inputs: x(1, 1, 9, 9), nodes: [['MaxPool', ['x'], ['y'], { kernel_shape: [-1n, 2n] }]] },
      'MaxPool "maxpool": kernel_shape is [-1,2], expected 1 or more',
    ],
    'kernel 0 of MaxUnpool, its output stated': [
      {
        inputs: { ...x(1, 1, 2, 2), i: ['int64', [1, 1, 2, 2]] },
        constants: { s: int64([1, 1, 4, 4]) },
        nodes: [['MaxUnpool', ['x', 'i', 's'], ['y'], { kernel_shape: [0n, 2n] }]],
      },
      'MaxUnpool "maxunpool": kernel_shape is [0,2], expected 1 or more',
    ],
    'strides of MaxUnpool beyond what a number counts': [
      {
        inputs: { ...x(1, 1, 2, 2), i: ['int64', [1, 1, 2, 2]] },
        constants: { s: int64([1, 1, 4, 4]) },
        nodes: [['MaxUnpool', ['x', 'i', 's'], ['y'], { kernel_shape: [2n, 2n], strides: [2n, 2n ** 62n] }]],
      },
      'MaxUnpool "maxunpool": strides is [2,4611686018427388000], expected 1 or more',
    ],
    'axis 10^12, the rank unknown': [
      {
        inputs: { x: ['float32', undefined], w: ['float32', [2]] },
        nodes: [['LayerNormalization', ['x', 'w'], ['y'], { axis: -1_000_000_000_000n }]],
      },
      'LayerNormalization "layernormalization": attribute "axis" is -1000000000000, which no tensor has: -1000000000000 axes, expected 0 to 64',
    ],
    'float indices': [
      { inputs: { ...x(4), i: ['float32', [1]] }, nodes: [['Gather', ['x', 'i'], ['y']]] },
      'Gather "gather": indices must be int64 or int32, they are float32',
    ],
    'more elements than a number counts': [
      { inputs: x(1e12), constants: { r: sized(1e12) }, nodes: [['Tile', ['x', 'r'], ['y']]] },
      'Tile "tile": output 0 would be float32[1e+24]: 1e+24 is no size',
    ],
  };
  for (const [name, [small, message]] of Object.entries(cases)) {
    it(name, () => expect(gradientOf(small).refused).toBe(message));
  }

  it('a deformed convolution by 1024 by 1024', () => {
    const inputs = { ...x(1, 1, 1024, 1024), w: ['float32', [1, 1, 1024, 1024]], o: ['float32', [1, 2 ** 21, 1, 1]] } as const;
    expect(gradientOf({ inputs, nodes: [['DeformConv', ['x', 'w', 'o'], ['y']]] }, 20).refused).toBe(
      'DeformConv "deformconv": the kernel: 2097152 elements of a constant, expected 0 to 1048576',
    );
  });

  it('an op of the name of what every object has', () => {
    const nodes: Small['nodes'] = ['constructor', '__proto__', 'toString', 'hasOwnProperty'].flatMap((op, i) => [
      [op, [i === 0 ? 'x' : `h${i - 1}`], [`h${i}`]] as const,
    ]);
    const small: Small = { nodes, outputs: ['h3'] };
    for (const opset of [6, 13, 17]) {
      expect(() => grad(smallModel(small, opset), { of: 'h3', by: ['x'] })).toThrow(
        /hasOwnProperty "hasownproperty" computes it$/,
      );
    }
  });
});
