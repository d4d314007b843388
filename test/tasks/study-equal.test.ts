// Networks no larger than a rival: widths and ranks fall by one factor, and the network is the largest that fits.
import { expect, it } from 'vitest';
import { parseDescription } from '../../src/model/description/parse.js';
import { columnsOf } from '../../src/model/progressive/column.js';
import { parametersOf, StudyColumns } from '../../src/tasks/study/columns.js';
import { equalColumns } from '../../src/tasks/study/equal.js';
import { grownColumns } from '../../src/tasks/study/planner.js';

const tasks = ['a', 'b', 'c'];
const described = (blocks: unknown, laterals: unknown = { kind: 'adapter', rank: 8 }) =>
  parseDescription({
    prognet: 1,
    name: 'toy',
    input: { name: 'x', shape: [1, 12, 12] },
    columns: tasks.map((task, i) => ({ task, data: 'mnist', blocks, head: { classify: 4 }, ...(i > 0 && { laterals }) })),
  });
const convolutions = [
  [{ conv2d: { filters: 32, kernel: 3 } }, 'relu'],
  [{ residual: { layers: [{ conv2d: { filters: 32, kernel: 3, padding: 'same' } }] } }, 'flatten', { dense: 40 }, 'relu'],
];
const networkOf = (kind: 'linear' | 'adapter') => (columns: StudyColumns) =>
  columns.network(grownColumns(columns, kind, tasks), 0);
const sizeOf = (network: Parameters<typeof parametersOf>[0]) =>
  parametersOf(network).reduce((sum, { column }) => sum + column, 0);

it.each(['linear', 'adapter'] as const)('%s: the largest factor whose network fits', (kind) => {
  const description = described(convolutions);
  const budget = 60_000;
  const { factor, columns, parameters } = equalColumns(description, budget, networkOf(kind));
  const network = networkOf(kind)(columns);
  expect(sizeOf(network)).toBe(parameters);
  expect(parameters).toBeLessThanOrEqual(budget);
  expect(parameters).toBeGreaterThan(0.9 * budget);
  const [first, second] = columnsOf(parseDescription(network));
  const filters = Math.round(32 * factor);
  expect(first?.blocks[0]?.[0]).toMatchObject({ kind: 'conv2d', filters });
  // What stands inside other layers is scaled as well, else the residual would not fit.
  expect(first?.blocks[1]?.[0]).toMatchObject({ kind: 'residual', layers: [{ filters }] });
  expect(second?.laterals).toMatchObject(kind === 'adapter' ? { rank: Math.round(8 * factor) } : { kind: 'linear' });
});

it('a network that fits as it is stays as it is', () => {
  const description = described([['flatten', { dense: 8 }, 'relu']], { kind: 'linear' });
  const { factor, columns } = equalColumns(description, 1e6, networkOf('linear'));
  expect(factor).toBe(1);
  expect(networkOf('linear')(columns)).toEqual(networkOf('linear')(new StudyColumns(description)));
});

it('no width is small enough: the line says what the smallest network has', () => {
  const description = described([['flatten', { dense: 8 }, 'relu']]);
  expect(() => equalColumns(description, 100, networkOf('adapter'))).toThrow(
    /^equal parameters: no progressive network of 100 parameters: the smallest has \d+$/,
  );
});

it('groups that a narrower layer does not bear: a factor is found that all bear', () => {
  const description = described([[{ conv2d: { filters: 16, kernel: 3 } }, { group_norm: { groups: 4 } }, 'relu', 'flatten']]);
  const { columns, factor } = equalColumns(description, 8_000, networkOf('adapter'));
  expect(factor).toBeLessThan(1);
  const [first] = columnsOf(parseDescription(networkOf('adapter')(columns)));
  expect(Number(Reflect.get(first?.blocks[0]?.[0] ?? {}, 'filters')) % 4).toBe(0);
});
