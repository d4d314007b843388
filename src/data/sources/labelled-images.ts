// Images of classes to data sets, all at once or so many at a time as are decoded together: what folders of images and datasets of Hugging Face share. What
// reads their files, image-folder.ts and hub/hub-images.ts say.

import { onlyOf } from '../../model/progressive/inputs.js';
import { InternalError } from '../../onnx/core/errors.js';
import { Tensor } from '../../onnx/core/tensor.js';
import type { Dataset } from '../dataset.js';
import { alphaNote, commonDecoding, decodeAll, type ImageBytes, sizedBy } from '../images/decode-all.js';
import { channelsOf, type Decoding, decodingFor } from '../images/decoding.js';
import { loadSharp } from '../images/sharp.js';
import { joinRows, sliceRows } from '../rows.js';
import type { DataOptions } from '../schema.js';
import { fitting } from './fitting.js';
import type { RowStream, SourceContext, Unread } from './source.js';

/** Images that are read together. */
export interface ImageGroup {
  readonly images: readonly ImageBytes[];
  /** int64 [D]: the class of each. */
  readonly labels: Tensor;
}

/** The images of train, of test or of both together. */
export interface LabelledImages {
  /** How many there are. */
  readonly count: number;
  /** All of them in their order, each time from the beginning. Throws DataError. */
  readonly groups: () => AsyncIterable<ImageGroup> | Iterable<ImageGroup>;
}

async function firstOf(groups: ReturnType<LabelledImages['groups']>): Promise<ImageBytes> {
  for await (const { images } of groups) if (images[0] !== undefined) return images[0];
  throw new InternalError('a part of no images');
}

/** Bytes of images that are decoded together where not all are in memory. */
const bytesAtOnce = 2 ** 23;

/** Images as the network takes them. Throws DataError where nothing decodes them, and for images of several sizes where nobody says one. */
export async function unreadImages(
  path: string,
  parts: readonly LabelledImages[],
  classNames: readonly string[],
  { resize }: DataOptions,
  { head, inputs, onNote, path: where = 'data' }: SourceContext,
): Promise<Unread> {
  const sharp = await loadSharp(path);
  const everything = async function* () {
    for (const { groups } of parts) for await (const { images } of groups()) yield images;
  };
  const decoding =
    inputs === undefined
      ? await commonDecoding(sharp, everything(), resize)
      : decodingFor(onlyOf(inputs, 'a folder of images').shape, resize, where);

  /** Makes data sets of images, and says at the end what was done to them. */
  function decoder(count: number, how: Decoding) {
    let transparent = 0;
    const decode = async ({ images, labels }: ImageGroup, first: number): Promise<Dataset> => {
      const { inputs: pixels, withAlpha } = await decodeAll(sharp, images, how, path);
      transparent += withAlpha;
      const set = fitting(pixels, labels, { inputs: path, targets: path, first }, head);
      return { ...set, classes: classNames.length, classNames, decoding };
    };
    const end = () => {
      const note = alphaNote(path, transparent, count, decoding);
      if (note !== undefined) onNote?.(note);
    };
    return { decode, end };
  }

  async function read({ count, groups }: LabelledImages): Promise<Dataset> {
    const { decode, end } = decoder(count, decoding);
    const images: ImageBytes[] = [];
    const labels = [Tensor.zeros('int64', [0])];
    for await (const group of groups()) {
      for (const image of group.images) images.push(image);
      labels.push(group.labels);
    }
    const set = await decode({ images, labels: joinRows(labels) }, 0);
    end();
    return set;
  }

  /** The size of a part is that of its first image, where it is open. */
  async function streamOf({ count, groups }: LabelledImages): Promise<RowStream> {
    const sized = await sizedBy(sharp, await firstOf(groups()), decoding);
    const width = sized.height * sized.width * channelsOf(sized);
    const together = Math.max(1, Math.floor(bytesAtOnce / width));
    return {
      bytes: count * width,
      parts: async function* (step) {
        const { decode, end } = decoder(count, sized);
        let first = 0;
        for await (const { images, labels } of groups())
          for (let from = 0; from < images.length; from += together) {
            const to = Math.min(from + together, images.length);
            yield await decode({ images: images.slice(from, to), labels: sliceRows(labels, from, to) }, first);
            first += to - from;
            await step('images read', first, count);
          }
        end();
      },
    };
  }

  return {
    read: async () => {
      const sets: Dataset[] = [];
      for (const part of parts) sets.push(await read(part));
      return sets;
    },
    streams: async () => await Promise.all(parts.map(streamOf)),
  };
}
