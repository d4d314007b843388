// What the parts of a study's report have in common: a number with what it spreads by, as cells, as text and as bars.
import type { Spread, StudyMethod, StudyResult } from '../../analysis/study/result.js';
import type { BarPanel } from '../../chart/bars.js';
import type { Cell, TableColumn } from '../../report/report.js';

/** Methods of a picture at most; tables have all. */
export const mostMethods = 12;

/** A column of a table. */
export const column = (key: string, name: string, as: TableColumn['as']): TableColumn => ({ key, name, as });
/** Mean and standard deviation of a number, as two cells. */
export const spreadColumns = (key: string, name: string): readonly TableColumn[] => [
  column(key, name, 'measure'),
  column(`${key}_deviation`, '±', 'deviation'),
];
/** The cells of such. */
export const spreadCells = (spread: Spread | null): readonly Cell[] =>
  spread === null ? [null, null] : [spread.mean, spread.deviation];
/** A number with what it spreads by, where several seeds tell. */
export const said = (spread: Spread, digits = 4): string =>
  spread.values.length === 1
    ? spread.mean.toFixed(digits)
    : `${spread.mean.toFixed(digits)} ± ${spread.deviation.toFixed(digits)}`;

/** What the spread is, once for all. */
export function spreadText({ seeds }: StudyResult): string {
  return seeds.length === 1
    ? 'One seed, so nothing is known of how much the numbers spread.'
    : `Means over ${seeds.length} seeds; ± and shades are one standard deviation.`;
}

/** A bar for each method. */
export function barPanel(
  name: string,
  unit: string,
  methods: readonly StudyMethod[],
  of: (method: StudyMethod) => Spread | null,
): BarPanel {
  return {
    name,
    unit,
    rows: methods.map((method) => {
      const spread = of(method);
      if (spread === null) return { name: method.label, values: [] };
      return {
        name: method.label,
        values: [spread.mean],
        said: spread.mean.toFixed(3),
        ...(spread.values.length > 1 && { spread: spread.deviation }),
      };
    }),
  };
}
