// How training rows are varied anew in each epoch: `augment` of a column's training options, as written and as everything else reads it. What each
// does to a row is train/augment; whether it fits the network's input is told there too.
import type * as z from 'zod';
import { oneOf, real, size, strict, tagged, taggedDefinition, variant } from '../nn/schema.js';

const range = (text: string) => real('a number above 0 and at most 1', { above: 0, max: 1 }).describe(text);

const table = {
  flip: variant(
    strict({
      axis: oneOf(['horizontal', 'vertical']).describe('Which way it is mirrored: horizontal swaps left and right.'),
      probability: real('a number from 0 to 1', { min: 0, max: 1 })
        .default(0.5)
        .describe('How often it is mirrored; 0.5 when absent.'),
    }),
    'axis',
    '{ flip: horizontal }',
    'Mirrors images, now and then.',
  ),
  shift: variant(
    strict({ pixels: size.describe('By how many at most, each way.') }),
    'pixels',
    '{ shift: 2 }',
    'Moves images by whole pixels, down or up and to the side, and fills with zeros: a cut from the image with a border around it.',
  ),
  rotate: variant(
    strict({
      degrees: real('a number above 0 and at most 180', { above: 0, max: 180 }).describe('By how many at most, either way.'),
    }),
    'degrees',
    '{ rotate: 10 }',
    'Turns images about their centre.',
  ),
  zoom: variant(
    strict({
      range: real('a number above 0 and below 1', { above: 0, below: 1 }).describe('The factor is from 1 - range to 1 + range.'),
    }),
    'range',
    '{ zoom: 0.1 }',
    'Scales images about their centre; below 1 within a border of zeros.',
  ),
  brightness: variant(
    strict({ range: range('What is added is from -range to range, in parts of the full range.') }),
    'range',
    '{ brightness: 0.2 }',
    'Makes images lighter or darker.',
  ),
  contrast: variant(
    strict({ range: range("The factor of each value's distance to the image's mean is from 1 - range to 1 + range.") }),
    'range',
    '{ contrast: 0.2 }',
    'Makes images harder or softer.',
  ),
  noise: variant(
    strict({
      std: real('a positive number', { above: 0 }).describe(
        "Its standard deviation: of images and bytes in parts of the full range, of other numbers in parts of each one's own standard deviation in the training data.",
      ),
    }),
    'std',
    '{ noise: 0.1 }',
    'Adds normal noise to each value.',
  ),
};

/** A way to vary rows, with every option filled in. */
export type Augmentation =
  | { kind: 'flip'; axis: 'horizontal' | 'vertical'; probability: number }
  | { kind: 'shift'; pixels: number }
  | { kind: 'rotate'; degrees: number }
  | { kind: 'zoom' | 'brightness' | 'contrast'; range: number }
  | { kind: 'noise'; std: number };

/** A way to vary rows, as written: by the value of its main option, or with its options by name. */
export type AugmentationInput =
  | { flip: 'horizontal' | 'vertical' | { axis: 'horizontal' | 'vertical'; probability?: number | undefined } }
  | { shift: number | { pixels: number } }
  | { rotate: number | { degrees: number } }
  | { zoom: number | { range: number } }
  | { brightness: number | { range: number } }
  | { contrast: number | { range: number } }
  | { noise: number | { std: number } }
  | { kind: 'flip'; axis: 'horizontal' | 'vertical'; probability?: number | undefined }
  | Exclude<Augmentation, { kind: 'flip' }>;

export const augmentationSchema: z.ZodType<Augmentation, AugmentationInput> = tagged('augmentation', table);
/** What `#/$defs` of a JSON Schema must hold for it. */
export const augmentDefinitions = { augmentation: taggedDefinition(table) };
