// What is refused of heads where not every one is taken: scores of another shape, several heads.
import { UsageError } from '../../onnx/core/errors.js';
import { eachOf, type Head, headWidth, isSeveral, type SingleHead } from './heads.js';

/** Whether scores of this shape, without the batch, are a head's: [width], of each step [T, width]. */
export const takesScores = (head: Head, shape: readonly (number | string)[]): boolean =>
  shape.length === (eachOf(head) === undefined ? 1 : 2) && shape.at(-1) === headWidth(head);

/** What is wrong where they are none. */
export const scoresExpected = (head: Head, shape: readonly (number | string)[]): string =>
  `its head is ${headWidth(head)} wide${eachOf(head) === undefined ? '' : ' at each step'}, its imported scores are [N,${shape}]`;

/** Throws UsageError for several heads, where one alone is taken. @param what takes no more */
export function refuseSeveral(head: Head, task: string, what: string): asserts head is SingleHead {
  if (!isSeveral(head)) return;
  const expected = 'a column of one head';
  throw new UsageError(
    `${what}: task "${task}" has the heads ${head.heads.map(({ name }) => name).join(', ')}, expected ${expected}`,
    {
      expected,
      got: task,
    },
  );
}
