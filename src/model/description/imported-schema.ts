// What a description says of an imported column: its graph, and all that the rest must know without opening the graph.
import * as z from 'zod';
import { size, strict } from '../nn/schema.js';

const graphText = 'the path of an .onnx file in the workspace';
const nameText = 'the name of a value';
const valueName = z.string({ error: nameText }).min(1, { error: nameText });
const shapeText = 'a list of positive integers, without the batch';
const sizeText = 'a positive integer, or a size that follows from an open one';

const tapText = 'the name of a value, or { name, shape, layout }';
const tapSchema = strict(
  {
    name: valueName.describe('The value in the graph.'),
    shape: z
      .array(z.union([size, z.string({ error: sizeText }).min(1, { error: sizeText })], { error: sizeText }), {
        error: shapeText,
      })
      .describe('Of one sample; a text is a size that follows from one that is open, such as ceil(length/2).'),
    layout: z
      .enum(['channels-first', 'channels-last'], { error: '"channels-first" or "channels-last"' })
      .optional()
      .describe('Where the channels of a sample with positions stand; a sequence has them last. Left out: first.'),
  },
  tapText,
);

export const importedSchema = strict(
  {
    graph: z
      .string({ error: graphText })
      .min(1, { error: graphText })
      .describe('The graph without its weights: a file of the workspace; as a data URL once it is read.'),
    taps: z
      .array(z.union([valueName, tapSchema], { error: tapText }), { error: 'a list of names' })
      .min(1, { error: 'at least one name' })
      .describe('Values that later columns may read: these are its blocks. A name alone has the shape that the graph says.'),
    scores: valueName
      .optional()
      .describe("The value that is the task's raw scores; the last tap where the column has no head and it is left out."),
    opset: size.optional().describe('Of ai.onnx; the graph says it where it is left out.'),
  },
  'an imported column: { graph, taps, scores }',
);

/** A value of an imported graph that later columns may read. */
export interface ImportedTap {
  /** The value in the graph. */
  name: string;
  /** Of one sample; a text is a size that follows from one that is open, such as ceil(length/2). */
  shape: (number | string)[];
  /** Where the channels of a sample with positions stand; a sequence has them last. Left out: first. */
  layout?: 'channels-first' | 'channels-last' | undefined;
}

/** The graph of an imported column. */
export interface ImportedInput {
  /** The graph without its weights: a file of the workspace; as a data URL once it is read. */
  graph: string;
  /** Values that later columns may read: these are its blocks. A name alone has the shape that the graph says. */
  taps: (string | ImportedTap)[];
  /** The value that is the task's raw scores; the last tap where the column has no head and it is left out. */
  scores?: string | undefined;
  /** Of ai.onnx; the graph says it where it is left out. */
  opset?: number | undefined;
}

/** What a tap is called in the graph. */
export const tapName = (tap: string | ImportedTap): string => (typeof tap === 'string' ? tap : tap.name);
