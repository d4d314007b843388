// Heads: the output block of a column and the loss that goes with it. A head is a dense layer with bias, its raw scores the task's output.
import * as z from 'zod';
import { weightInit } from '../nn/init.js';
import {
  integer,
  oneOf,
  real,
  size,
  strict,
  type Tagged,
  type TaggedInput,
  tagged,
  taggedDefinition,
  variant,
} from '../nn/schema.js';

const className = z
  .string({ error: 'a text' })
  .min(1, { error: 'a text' })
  .max(100, { error: 'a text of at most 100 characters' });
const weights = z.array(real('a non-negative number', { min: 0 }), { error: 'a list of numbers, one for each class' });

const headTable = {
  /** One class of several: softmax cross-entropy. */
  classify: variant(
    strict({
      classes: integer(2, 'an integer of at least 2'),
      /** What the classes are called, for people. */
      names: z.array(className, { error: 'a list of texts, one for each class' }).optional(),
      class_weights: weights.optional(),
      label_smoothing: real('a number of at least 0 and below 1', { min: 0, below: 1 }).default(0),
      init: weightInit,
    })
      .refine((h) => h.class_weights === undefined || h.class_weights.length === h.classes, {
        error: 'expected as many weights as "classes"',
        path: ['class_weights'],
      })
      .refine((h) => h.class_weights === undefined || h.class_weights.some((w) => w > 0), {
        error: 'expected at least one weight above 0',
        path: ['class_weights'],
      })
      .refine((h) => h.names === undefined || h.names.length === h.classes, {
        error: 'expected as many names as "classes"',
        path: ['names'],
      }),
    'classes',
    '{ classify: 10 }',
  ),
  /** Several labels, each there or not: sigmoid cross-entropy. */
  binary: variant(strict({ labels: size, init: weightInit }), 'labels', '{ binary: 5 }'),
  /** Numbers: mean squared or mean absolute error. */
  regress: variant(
    strict({ outputs: size, loss: oneOf(['mse', 'l1']).default('mse'), init: weightInit }),
    'outputs',
    '{ regress: 3 }',
  ),
};

/** `{ kind: 'classify', classes, ... }`, `{ kind: 'binary', labels, ... }` or `{ kind: 'regress', outputs, loss, ... }`. */
export type Head = Tagged<typeof headTable>;
export type HeadInput = TaggedInput<typeof headTable>;
export const headSchema = tagged('head', headTable);
export const headDefinitions = { head: taggedDefinition(headTable) };

/** Width of a head's output. */
export function headWidth(head: Head): number {
  switch (head.kind) {
    case 'classify':
      return head.classes;
    case 'binary':
      return head.labels;
    case 'regress':
      return head.outputs;
  }
}
