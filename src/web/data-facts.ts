// What a page is told of the data that columns were trained on: how image files became samples, and between which values they lay.
import { decodingSchema } from '../data/images/decoding.js';
import { jsonOrNothing } from '../formats/json-or-nothing.js';
import type { ColumnFacts } from '../model/progressive/facts.js';
import type { NetworkInfo } from './protocol.js';

/** Of the columns that say it: the first decoding, and the range that holds all of theirs. */
export function dataFacts(facts: Iterable<ColumnFacts>, input: string): Pick<NetworkInfo['input'], 'decoding' | 'range'> {
  const all = [...facts];
  const decodings = all.map(({ decoding }) => decodingSchema.safeParse(jsonOrNothing(decoding)));
  const [decoding] = decodings.flatMap((found) => (found.success ? [found.data] : []));
  const ranges = all.flatMap(({ trained }) => trained?.seen?.[input]?.range ?? []);
  return {
    ...(decoding !== undefined && { decoding }),
    ...(ranges.length > 0 && { range: [Math.min(...ranges), Math.max(...ranges)] as const }),
  };
}
