// The pictures of a report as files: SVG, and PNG where the package sharp is there to make one.
import { svgFile, svgPlain } from '../chart/picture.js';
import { figuresOf, type Report } from './report.js';

/** Makes PNG bytes of an SVG in plain colours. */
export type ToPng = (svg: string) => Promise<Uint8Array>;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The files of `--figures`, by name; without `toPng` the SVGs alone. */
export async function figureFiles(report: Report, toPng?: ToPng): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const { name, picture } of figuresOf(report)) {
    files.set(`${name}.svg`, bytes(svgFile(picture)));
    if (toPng !== undefined) files.set(`${name}.png`, await toPng(svgPlain(picture)));
  }
  return files;
}
