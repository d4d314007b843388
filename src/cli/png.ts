// PNG of the project's own pictures, by the package sharp, an optional peer.
import { svgPlain } from '../chart/picture.js';
import { loadSharp } from '../data/images/sharp.js';
import { PrognetError } from '../onnx/core/errors.js';
import { npmInstall } from '../onnx/core/remedy.js';
import type { ToPng } from '../report/figures.js';

/** Twice as many pixels as the picture says, for paper and sharp screens. */
const density = 144;

const letter = (text: string): string =>
  svgPlain({ width: 40, height: 40, title: text, spoken: text, body: () => `<text class="title" x="8" y="30">${text}</text>` });

/** What makes PNG here, or why nothing does, in words that follow a comma. */
export async function pngMaker(): Promise<{ readonly toPng?: ToPng; readonly why?: string }> {
  let sharp: Awaited<ReturnType<typeof loadSharp>>;
  try {
    sharp = await loadSharp('figures');
  } catch (error) {
    if (!(error instanceof PrognetError)) throw error;
    return { why: `PNG needs the package sharp: ${npmInstall({ kind: 'install', package: 'sharp' })}` };
  }
  const toPng: ToPng = async (svg) => await sharp(new TextEncoder().encode(svg), { density }).png().toBuffer();
  // Without any font letters are boxes, all alike.
  const [m, i] = await Promise.all([toPng(letter('M')), toPng(letter('i'))]);
  if (Buffer.compare(m, i) === 0) return { why: 'PNG needs a font, and this machine has none: install one such as DejaVu Sans' };
  return { toPng };
}
