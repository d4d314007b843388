// What is known of a trained column beside its weights: how files become its input, what data it saw, how well it answered. Nothing of it can stand in a
// graph; exported models and .prognet files carry it in their metadata, for people, for `prognet inspect` and for whoever feeds the model.
import * as z from 'zod';
import { jsonOrNothing } from '../../formats/json-or-nothing.js';
import { canonicalJson } from '../description/canonical.js';

/** What values an input had in training. */
export interface Seen {
  /** The least and the largest value, missing ones aside. Of bytes that are scaled, in the unit of the model's input: 0 and 1. */
  readonly range?: readonly [number, number] | undefined;
  /** The data were bytes, and the model takes them divided by 255. */
  readonly unit?: 'byte / 255' | undefined;
  /** Of a table or another flat sample the range of each number; null for a category and where no value was there. */
  readonly each?: readonly (readonly [number, number] | null)[] | undefined;
}

/** Rows that a column was trained or measured on. */
export interface DataFacts {
  /** SHA-256 over dtypes, shapes and bytes; absent where it was not made. */
  readonly sha256?: string | undefined;
  /** How many. */
  readonly rows: number;
}

/** How a column came about and how well it answers. */
export interface TrainedFacts {
  /** What it was trained on. */
  readonly data?: DataFacts | undefined;
  /** What it was measured on. */
  readonly test?: DataFacts | undefined;
  /** What values each input had in training. */
  readonly seen?: Readonly<Record<string, Seen>> | undefined;
  /** On the test data, each by its name. */
  readonly measures?: Readonly<Record<string, number>> | undefined;
  /** What was made small in training: the loss by name with its options, weights of classes and labels among them, as a head has them. */
  readonly loss?: Readonly<Record<string, unknown>> | undefined;
  /** What its first weights and the order of its rows follow from. */
  readonly seed?: number | undefined;
  /** How often it saw the data. */
  readonly epochs?: number | undefined;
  /** What trained and tested it. */
  readonly versions?: Readonly<Record<string, string>> | undefined;
}

const number = z.number();
const range = z.tuple([number, number]);
const count = z.int().min(0);
const part = z.strictObject({ sha256: z.string().optional(), rows: count });
const seenSchema = z.strictObject({
  range: range.optional(),
  unit: z.literal('byte / 255').optional(),
  each: z.array(range.nullable()).optional(),
});
const trainedSchema = z.strictObject({
  data: part.optional(),
  test: part.optional(),
  seen: z.record(z.string(), seenSchema).optional(),
  measures: z.record(z.string(), number).optional(),
  loss: z.record(z.string(), z.unknown()).optional(),
  seed: z.int().optional(),
  epochs: count.optional(),
  versions: z.record(z.string(), z.string()).optional(),
});

/** What is known of a column beside its weights. */
export interface ColumnFacts {
  /** How images become samples, as JSON. */
  readonly decoding?: string;
  /** Of its training; absent where that was elsewhere. */
  readonly trained?: TrainedFacts;
  /** What its own samples look like to it, as JSON; .prognet files alone carry it. */
  readonly domain?: string;
}

/** Facts by task. */
export type FactsByTask = ReadonlyMap<string, ColumnFacts>;

const decodingKey = (task: string): string => `prognet.decoding.${task}`;
/** The key of a .prognet file's metadata that says what samples look like to a column. */
export const domainKey = (task: string): string => `prognet.domain.${task}`;
const trainedKey = (task: string): string => `prognet.trained.${task}`;

/** As metadata of a file. */
export function factsAsMetadata(task: string, { decoding, trained }: ColumnFacts): Record<string, string> {
  return {
    ...(decoding !== undefined && { [decodingKey(task)]: decoding }),
    ...(trained !== undefined && {
      // in one order of the keys, whoever put them together
      [trainedKey(task)]: canonicalJson(trained),
    }),
  };
}

/** What the metadata of a file say of a task; what cannot be read says nothing. */
export function factsInMetadata(metadata: ReadonlyMap<string, string>, task: string): ColumnFacts {
  const decoding = metadata.get(decodingKey(task));
  const trained = trainedFactsIn(jsonOrNothing(metadata.get(trainedKey(task))));
  const domain = metadata.get(domainKey(task));
  return {
    ...(decoding !== undefined && { decoding }),
    ...(trained !== undefined && { trained }),
    ...(domain !== undefined && { domain }),
  };
}

/** A value as facts; undefined where it is none. */
export function trainedFactsIn(value: unknown): TrainedFacts | undefined {
  const facts = trainedSchema.safeParse(value);
  return facts.success ? facts.data : undefined;
}

/** What a record of values says that an input had in training; undefined where it is none. */
export function seenIn(value: unknown): Readonly<Record<string, Seen>> | undefined {
  const seen = trainedSchema.shape.seen.safeParse(value);
  return seen.success ? seen.data : undefined;
}
