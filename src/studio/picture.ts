// Pictures to what a network sees: grey levels 0..1, brought to the network's size the way MNIST was made: the ink scaled to fit five sevenths
// of the square, its centre of mass in the middle.

/** Grey levels by row, 0 the ground and 1 the ink. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** MNIST's digits fit into 20 of 28 pixels. */
const inkPart = 20 / 28;
/** MNIST's centres of mass lie half a pixel to the right of and below the middle, on the mean of its images. */
const offCentre = 0.5;
/** Fainter than this is no ink. */
const faint = 0.05;

/** Mean of the picture over a rectangle; outside it is ground. */
function meanOver({ width, height, data }: Picture, x0: number, y0: number, x1: number, y1: number): number {
  let sum = 0;
  for (let y = Math.max(0, Math.floor(y0)); y < Math.min(height, Math.ceil(y1)); y++) {
    const rows = Math.min(y + 1, y1) - Math.max(y, y0);
    for (let x = Math.max(0, Math.floor(x0)); x < Math.min(width, Math.ceil(x1)); x++)
      sum += (data[y * width + x] ?? 0) * rows * (Math.min(x + 1, x1) - Math.max(x, x0));
  }
  return sum / ((x1 - x0) * (y1 - y0));
}

/** The ink's extent and its centre of mass; undefined for an empty picture. */
function inkOf({ width, height, data }: Picture) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const value = data[y * width + x] ?? 0;
      if (value <= faint) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
      mass += value;
      sumX += value * (x + 0.5);
      sumY += value * (y + 0.5);
    }
  return mass === 0 ? undefined : { extent: Math.max(right - left, bottom - top), x: sumX / mass, y: sumY / mass };
}

/** The picture as MNIST would have it, [height, width]; undefined where it holds no ink. */
export function centred(picture: Picture, height: number, width: number): Float32Array | undefined {
  const ink = inkOf(picture);
  if (ink === undefined) return undefined;
  const scale = ink.extent / (Math.min(height, width) * inkPart);
  const out = new Float32Array(height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const x0 = ink.x + (x - width / 2 - offCentre) * scale;
      const y0 = ink.y + (y - height / 2 - offCentre) * scale;
      out[y * width + x] = meanOver(picture, x0, y0, x0 + scale, y0 + scale);
    }
  return out;
}

/** Scaled to the size, edge to edge. */
export function fitted(picture: Picture, height: number, width: number): Float32Array {
  const [sx, sy] = [picture.width / width, picture.height / height];
  return Float32Array.from({ length: height * width }, (_, i) => {
    const [x, y] = [(i % width) * sx, Math.floor(i / width) * sy];
    return meanOver(picture, x, y, x + sx, y + sy);
  });
}

/** Ink on paper becomes light on dark: a picture whose border is bright is turned over, then its ground made 0 and its ink 1. */
export function inkFound(picture: Picture): Picture {
  const { width, height, data } = picture;
  const border: number[] = [];
  for (let x = 0; x < width; x++) border.push(data[x] ?? 0, data[(height - 1) * width + x] ?? 0);
  for (let y = 0; y < height; y++) border.push(data[y * width] ?? 0, data[y * width + width - 1] ?? 0);
  const ground = border.sort((a, b) => a - b)[border.length >> 1] ?? 0;
  const over = Float32Array.from(data, (v) => Math.max(0, ground > 0.5 ? ground - v : v - ground));
  const most = over.reduce((a, b) => Math.max(a, b), 0);
  return { width, height, data: most < faint ? over : over.map((v) => Math.min(1, v / most)) };
}
