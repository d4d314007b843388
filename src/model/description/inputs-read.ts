// Which of the network's inputs a column reads, out of its description: those that it names, else the first; a head alone none.
import type { ColumnDescription, Description, Input } from './description.js';

/** The inputs that a column reads, in its order: its first block gets the first, its layers name the others. */
export function inputsRead({ inputs }: Pick<Description, 'inputs'>, column: ColumnDescription): readonly Input[] {
  const { blocks, inputs: named } = column;
  if (blocks.length === 0) return [];
  if (named === undefined) return inputs.slice(0, 1);
  return named.flatMap((name) => inputs.filter((input) => input.name === name));
}

/**
 * The same as what a column is told by: its own steps are those of the first, which says none of its own here. A head alone is told by the network's
 * first input.
 */
export function inputsTelling(description: Pick<Description, 'inputs'>, column: ColumnDescription): Input[] {
  const read = inputsRead(description, column);
  const told = read.length === 0 ? description.inputs.slice(0, 1) : read;
  return told.map((input, i) => (i === 0 ? { ...input, prepare: undefined } : { ...input }));
}
