// Tables with categories in a graph: texts become indices in the order of the features, steps leave them alone until one_hot makes numbers of them.
import { describe, expect, it } from 'vitest';
import { parseDescription, toInput } from '../../../src/model/description/parse.js';
import { tableFeeds } from '../../../src/model/progressive/categories.js';
import { columnsOf } from '../../../src/model/progressive/column.js';
import { taskModel } from '../../../src/model/progressive/forms.js';
import { must } from '../../../src/onnx/core/errors.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { runModel } from '../../support/run.js';

/** A network whose scores are what its steps give: a head that hands each number on. */
async function prepared(features: readonly unknown[], prepare: readonly unknown[], feeds: Record<string, Tensor>, width: number) {
  const column = (prepare: readonly unknown[]) => ({ prepare, task: 't', blocks: [['flatten']], head: { regress: width } });
  const input = { name: 'row', features };
  const columns = columnsOf(parseDescription({ prognet: 1, name: 'n', input, columns: [column(prepare)] }));
  const parameters = columns.column('t').parameters.specs.map(({ name, shape }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const value = (i: number) => {
      if (name.endsWith('head/dense/weight')) return i % (width + 1) === 0 ? 1 : 0;
      return name.endsWith('/std') ? 2 : name.endsWith('/mean') || name.endsWith('/median') ? 1 : 0;
    };
    return [
      name,
      new Tensor(
        'float32',
        shape,
        Float32Array.from({ length: size }, (_, i) => value(i)),
      ),
    ] as const;
  });
  const model = taskModel(columns, new Map([['t', new Map(parameters)]]), { tasks: ['t'] });
  return must((await runModel(model, feeds)).t, 't').numbers();
}

const texts = (rows: readonly (readonly string[])[]) => new Tensor('string', [rows.length, rows[0]?.length ?? 0], rows.flat());
const numbers = (rows: readonly (readonly number[])[]) =>
  Tensor.from('float32', rows.flat(), [rows.length, rows[0]?.length ?? 0]);
const mixed = [{ city: ['Basel', 'Bern'] }, 'age', { ok: ['no', 'yes', ''] }, 'pay'];
const feeds = {
  row: numbers([
    [3, 5],
    [7, Number.NaN],
  ]),
  row_categories: texts([
    ['Bern', ''],
    ['Uri', 'yes'],
  ]),
};

describe('texts', () => {
  it('are indices in the order of the features, -1 for none', async () => {
    const filled = {
      ...feeds,
      row: numbers([
        [3, 5],
        [7, 9],
      ]),
    };
    expect(await prepared(mixed, [{ scale: 1 }], filled, 4)).toEqual([1, 3, 2, 5, -1, 7, 1, 9]);
  });

  it('without any number', async () => {
    const given = { row_categories: texts([['b'], ['c'], ['a']]) };
    expect(await prepared([{ only: ['a', 'b'] }], ['one_hot'], given, 2)).toEqual([0, 1, 0, 0, 1, 0]);
  });

  it('that a program would take for numbers stay texts', async () => {
    const given = { row_categories: texts([['1,5'], ['1_0'], ['10'], [' 10']]) };
    expect(await prepared([{ code: ['10', '1,5'] }], [{ scale: 1 }], given, 1)).toEqual([1, -1, 0, -1]);
  });
});

describe('steps', () => {
  it('fill, scale, standardise and normalise leave categories alone', async () => {
    const steps = [{ fill: 4 }, { scale: 0.5 }, 'standardise', { normalise: { mean: 1, std: 0.5 } }];
    const through = (v: number) => ((v / 0.5 - 1) / 2 - 1) / 0.5;
    expect(await prepared(mixed, steps, feeds, 4)).toEqual([1, through(3), 2, through(5), -1, through(7), 1, through(4)]);
  });

  it('one_hot puts 0 and 1 in the place of each category, and steps behind it take all', async () => {
    expect(await prepared(mixed, [{ fill: 4 }, 'one_hot'], feeds, 7)).toEqual([0, 1, 3, 0, 0, 1, 5, 0, 0, 7, 0, 1, 0, 4]);
    expect(
      await prepared(
        [{ c: ['x', 'y'] }, 'n'],
        ['one_hot', { scale: 2 }],
        { row: numbers([[6]]), row_categories: texts([['y']]) },
        3,
      ),
    ).toEqual([0, 0.5, 3]);
  });

  it('one_hot without categories is refused, twice too', () => {
    const parsed = (features: readonly unknown[], prepare: readonly unknown[]) =>
      columnsOf(
        parseDescription({
          prognet: 1,
          name: 'n',
          input: { name: 'row', features, prepare },
          columns: [{ task: 't', blocks: [[{ dense: 2 }]], head: { classify: 2 } }],
        }),
      ).column('t').parameters;
    const none = 'one_hot does not fit its input';
    expect(() => parsed(['a'], ['one_hot'])).toThrow(none);
    expect(() => parsed(['a', { b: ['x'] }], ['one_hot', 'one_hot'])).toThrow(none);
    expect(() => parsed(['a'], ['one_hot'])).toThrow(
      'there are no categories, expected "features" of the input such as { city: [Basel, Bern] }',
    );
  });
});

it('rows as programs keep them are fed as texts again', () => {
  const { inputs } = parseDescription({
    prognet: 1,
    name: 'n',
    input: { name: 'row', features: mixed },
    columns: [],
  });
  const { features = [] } = must(inputs[0], 'input');
  expect(
    tableFeeds(
      'row',
      features,
      numbers([
        [1, 3, 2, 5],
        [-1, 7, 1, 9],
      ]),
    ),
  ).toEqual({
    row: numbers([
      [3, 5],
      [7, 9],
    ]),
    // "?" is no category, the empty text is one
    row_categories: texts([
      ['Bern', ''],
      ['', 'yes'],
    ]),
  });
});

describe('features of a description', () => {
  const described = (input: object) =>
    parseDescription({ prognet: 1, name: 'n', input: { name: 'row', ...input }, columns: [] }).inputs;

  it('give the shape, and are read again as they come out', () => {
    const first = described({ features: mixed });
    expect(first[0]).toMatchObject({
      shape: [4],
      dtype: 'float32',
      features: [{ name: 'city', categories: ['Basel', 'Bern'] }, { name: 'age' }, {}, {}],
    });
    const whole = parseDescription({ prognet: 1, name: 'n', input: { name: 'row', features: mixed }, columns: [] });
    expect(parseDescription(toInput(whole))).toEqual(whole);
    expect(described({ features: [{ name: ['x'] }] })[0]?.features).toEqual([{ name: 'name', categories: ['x'] }]);
  });

  const right = 'expected a feature: its name, or { name: [text, ...] } for a category, each text once and numbers quoted';
  it.each([
    [{ features: ['a', 'a'] }, 'input.features[1]: found "a", the name of features[0], expected a name of its own'],
    [{ features: [{ a: [1, 2] }] }, `input.features[0]: found {"a":[1,2]}, ${right}`],
    [{ features: [{ a: ['x', 'x'] }] }, `input.features[0].a: found ["x","x"], ${right}`],
    [{ features: [{ a: ['x'], b: ['y'] }] }, `input.features[0]: found {"a":["x"],"b":["y"]}, ${right}`],
    [{ features: [] }, 'input.features: found [], expected at least one feature'],
    [{ features: ['a'], shape: [2] }, 'input.shape: found [2], expected no shape beside 1 features, or [1]'],
    [{ features: ['a'], dtype: 'uint8' }, 'input.dtype: found "uint8", expected float32, which features are'],
  ])('%j is refused', (input, message) => {
    expect(() => described(input)).toThrow(message);
  });
});
