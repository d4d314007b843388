// What is known of a trained column beside its weights: how files become its input, what data it saw, how well it answered. Nothing of it can stand in a
// graph; exported models and .prognet files carry it in their metadata, for people, for `prognet inspect` and for whoever feeds the model.
import * as z from 'zod';
import { canonicalJson } from '../description/canonical.js';

const number = z.number();
const range = z.tuple([number, number]);
const count = z.int().min(0);

/** What values the training data had, by input. */
const seenSchema = z.strictObject({
  /** The least and the largest value, missing ones aside. Of bytes that are scaled, in the unit of the model's input: 0 and 1. */
  range: range.optional(),
  /** `byte / 255`: the data were bytes, and the model takes them divided by 255. */
  unit: z.literal('byte / 255').optional(),
  /** Of a table or another flat sample the range of each number; null for a category and where no value was there. */
  each: z.array(range.nullable()).optional(),
});

/** What values an input had in training. */
export type Seen = z.output<typeof seenSchema>;

const part = z.strictObject({
  /** SHA-256 over dtypes, shapes and bytes; absent where it was not made. */
  sha256: z.string().optional(),
  rows: count,
});

const trainedSchema = z.strictObject({
  /** What it was trained on. */
  data: part.optional(),
  /** What it was measured on. */
  test: part.optional(),
  seen: z.record(z.string(), seenSchema).optional(),
  /** On the test data, each by its name. */
  measures: z.record(z.string(), number).optional(),
  seed: z.int().optional(),
  epochs: count.optional(),
  /** What trained and tested it. */
  versions: z.record(z.string(), z.string()).optional(),
});

/** How a column came about and how well it answers. */
export type TrainedFacts = z.output<typeof trainedSchema>;

/** What is known of a column beside its weights. */
export interface ColumnFacts {
  /** How images become samples, as JSON. */
  readonly decoding?: string;
  /** Of its training; absent where that was elsewhere. */
  readonly trained?: TrainedFacts;
}

/** Facts by task. */
export type FactsByTask = ReadonlyMap<string, ColumnFacts>;

const decodingKey = (task: string): string => `prognet.decoding.${task}`;
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
  const trained = trainedFactsIn(json(metadata.get(trainedKey(task))));
  return { ...(decoding !== undefined && { decoding }), ...(trained !== undefined && { trained }) };
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

function json(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}
