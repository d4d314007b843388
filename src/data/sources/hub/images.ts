// The column of images of a dataset of Hugging Face: records { bytes, path }, the bytes in the file itself.
import * as z from 'zod';
import { dataError } from '../../../formats/data-error.js';
import type { OpenTable } from '../../../formats/open-table.js';
import type { ImageBytes } from '../../images/decode-all.js';

const bytesField = z.object({ bytes: z.instanceof(Uint8Array) });

/** The images of a file. Throws DataError for one whose bytes are elsewhere. */
export async function imagesOf(opened: OpenTable, column: string, file: string): Promise<ImageBytes[]> {
  const images: ImageBytes[] = [];
  await opened.column(column, (value, row) => {
    const found = bytesField.safeParse(value);
    const name = `${file}: row ${(opened.first ?? 0) + row + 1}`;
    if (!found.success) throw dataError(name, 'holds no bytes of an image, expected them in the file', { expected: 'bytes' });
    images.push({ name, bytes: async () => found.data.bytes });
  });
  return images;
}
