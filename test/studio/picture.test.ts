// Pictures and lessons on their way to the network: what MNIST's own images become, what is held out, what varies.
import { describe, expect, it } from 'vitest';
import { drawingOf } from '../../src/chart/network-layout.js';
import { loadData } from '../../src/data/sources.js';
import { must } from '../../src/onnx/core/errors.js';
import { Random } from '../../src/onnx/core/random.js';
import { freshLesson, lacking, lessonData, probes } from '../../src/studio/lesson.js';
import { centred, fitted, inkFound, type Picture } from '../../src/studio/picture.js';
import { varied } from '../../src/studio/vary.js';

const image = { channels: 1, height: 28, width: 28, axes: 'CHW' } as const;
const mnist = (await loadData('mnist', { baseDir: '.' })).test.inputs;
const digit = (row: number): Picture => ({
  width: 28,
  height: 28,
  data: Float32Array.from({ length: 784 }, (_, i) => Number(mnist.data[784 * row + i]) / 255),
});

function massCentre(data: Float32Array): [number, number] {
  let [mass, x, y] = [0, 0, 0];
  data.forEach((v, i) => {
    mass += v;
    x += v * ((i % 28) + 0.5);
    y += v * (Math.floor(i / 28) + 0.5);
  });
  return [x / mass, y / mass];
}

/** The digit on a large sheet: scaled up and put into a corner, perhaps dark on bright. */
function onSheet(picture: Picture, scale: number, left: number, top: number, turned: boolean): Picture {
  const side = 400;
  const large = fitted(picture, 28 * scale, 28 * scale);
  const data = new Float32Array(side * side);
  for (let y = 0; y < 28 * scale; y++)
    for (let x = 0; x < 28 * scale; x++) data[(y + top) * side + x + left] = large[y * 28 * scale + x] ?? 0;
  return { width: side, height: side, data: turned ? data.map((v) => 0.9 - 0.8 * v) : data };
}

describe('a picture as MNIST would have it', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7])("MNIST's test image %i, large and off its place, comes back as it was", (row) => {
    const original = digit(row);
    for (const turned of [false, true]) {
      const back = must(centred(inkFound(onSheet(original, 9, 100, 20, turned)), 28, 28), 'ink');
      const [x, y] = massCentre(back);
      expect(Math.abs(x - 14.5)).toBeLessThan(0.2);
      expect(Math.abs(y - 14.5)).toBeLessThan(0.2);
      // Up to a shift of half a pixel, which MNIST's whole pixels leave open, and the ink's faint edge.
      const difference = back.reduce((sum, v, i) => sum + Math.abs(v - must(original.data[i], 'pixel')), 0);
      const ink = original.data.reduce((a, b) => a + b, 0);
      expect(difference / ink).toBeLessThan(0.5);
    }
  });

  it('nothing comes of an empty sheet', () => {
    expect(centred({ width: 9, height: 9, data: new Float32Array(81) }, 28, 28)).toBeUndefined();
  });
});

describe('a lesson', () => {
  const first = {
    name: 'image',
    from: 0,
    sizes: [1, 28, 28],
    shape: [1, 28, 28],
    dtype: 'float32' as const,
    size: 784,
    image,
    ink: true,
    white: 1,
    scalesBytes: true,
    fills: false,
  };
  const shape = { size: 784, inputs: [first], first };
  const lesson = (perClass: number) => ({
    ...freshLesson,
    task: 'letters',
    classes: ['A', 'B'].map((name, c) => ({
      name,
      examples: Array.from({ length: perClass }, (_, i) => digit(c * 100 + i).data),
    })),
  });

  it('says what it lacks', () => {
    const two = lesson(2);
    expect(lacking(two, [], shape)).toBeUndefined();
    expect(lacking({ ...two, task: '' }, [], shape)).toMatch(/name/);
    expect(lacking({ ...two, task: '9 lives' }, [], shape)).toMatch(/begins with a letter/);
    expect(lacking(two, ['letters'], shape)).toMatch(/already/);
    expect(lacking({ ...two, classes: two.classes.slice(0, 1) }, [], shape)).toMatch(/two classes/);
    expect(lacking({ ...two, classes: two.classes.map((c) => ({ ...c, name: 'A' })) }, [], shape)).toMatch(/same name/);
    expect(lacking(lesson(1), [], shape)).toMatch(/two examples/);
  });

  it('holds a fifth of each class out, trains on none of it, and is the same each time', () => {
    const data = lessonData({ ...lesson(20), vary: false }, shape);
    expect(data.heldOutTargets.filter((t) => t === 0)).toHaveLength(4);
    expect(data.heldOutTargets.filter((t) => t === 1)).toHaveLength(4);
    expect(data.targets).toHaveLength(32);
    const rows = (all: Float32Array) =>
      Array.from({ length: all.length / 784 }, (_, i) => all.slice(784 * i, 784 * i + 784).join());
    const held = new Set(rows(data.heldOutInputs));
    expect(rows(data.inputs).filter((row) => held.has(row))).toEqual([]);
    expect(lessonData({ ...lesson(20), vary: false }, shape)).toEqual(data);
  });

  it('holds nothing out of four, and varies few examples into many', () => {
    const data = lessonData(lesson(4), shape);
    expect(data.heldOutTargets).toEqual([]);
    expect(data.targets.length).toBeGreaterThan(80);
    expect(data.targets.filter((t) => t === 0).length).toBe(data.targets.length / 2);
  });

  it('a varied example is near its original and not the same', () => {
    const row = digit(0).data;
    const random = new Random(1, 'test');
    for (let i = 0; i < 20; i++) {
      const [x, y] = massCentre(varied(row, image, random));
      expect(Math.hypot(x - 14.5, y - 14.5)).toBeLessThan(4.5);
    }
    expect(varied(row, image, random)).not.toEqual(row);
  });

  it('probes are its examples and noise', () => {
    const asked = probes(lesson(30), shape);
    expect(asked.length / 784).toBe(48 + 16);
    expect(asked.slice(0, 784)).toEqual(digit(0).data);
    expect(asked.every((v) => v >= 0 && v <= 1)).toBe(true);
  });
});

it('the strongest lateral is drawn widest, and every lateral between its own blocks', () => {
  const block = { layers: ['dense 4', 'relu'], shape: [4] };
  const task = {
    trained: true,
    head: 'classify' as const,
    outputs: 2,
    parameters: 1,
    blocks: [block, block],
    laterals: [],
    inputs: ['x'],
  };
  const lateral = { into: 1, source: 'a', sourceBlock: 0, kind: 'linear' as const, norm: 1 };
  const drawing = drawingOf(
    [
      { ...task, task: 'a' },
      {
        ...task,
        task: 'b',
        laterals: [
          { ...lateral, gain: 1 },
          { ...lateral, into: 2, sourceBlock: 1, gain: 3 },
        ],
      },
    ],
    'x 4',
  );
  const [weak, strong] = drawing.laterals;
  expect(strong?.width).toBeGreaterThan(2 * must(weak, 'lateral').width);
  const [a, b] = drawing.columns;
  const from = must(a?.boxes[0], 'box');
  const into = must(b?.boxes[1], 'box');
  expect(weak?.path).toMatch(
    new RegExp(`^M ${from.x + from.width} ${from.y + from.height / 2} .* ${into.x} ${into.y + into.height / 2}$`),
  );
});
