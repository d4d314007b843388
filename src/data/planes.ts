// Images as planes of pixels in one array, and what moves pixels: mirroring, shifting, resampling. A plane is one channel of one image; where its
// pixels stand, two steps say, so that [C,H,W] and [H,W,C] are the same to all of it. 0 comes from outside.

/** Numbers of images: bytes 0 to 255, or floats. */
export type Pixels = Uint8Array | Float32Array;

/** Planes of one size in an array. */
export interface Planes {
  /** Images times channels. */
  readonly planes: number;
  readonly height: number;
  readonly width: number;
  /** From the first pixel of a plane to that of the next. */
  readonly planeStep: number;
  /** From a pixel to the next one of its line; a line is `width` of them. */
  readonly pixelStep: number;
}

/** Left and right, or top and bottom, the other way round. */
export function mirror(from: Pixels, to: Pixels, layout: Planes, axis: 'horizontal' | 'vertical'): void {
  const { planes, height, width, planeStep, pixelStep } = layout;
  const across = axis === 'horizontal';
  for (let plane = 0; plane < planes; plane++)
    for (let y = 0; y < height; y++) {
      const target = plane * planeStep + y * width * pixelStep;
      const source = plane * planeStep + (across ? y : height - 1 - y) * width * pixelStep;
      for (let x = 0; x < width; x++)
        to[target + x * pixelStep] = from[source + (across ? width - 1 - x : x) * pixelStep] as number;
    }
}

/** Down by `down` pixels and to the right by `right`. */
export function shift(from: Pixels, to: Pixels, layout: Planes, down: number, right: number): void {
  const { planes, height, width, planeStep, pixelStep } = layout;
  for (let plane = 0; plane < planes; plane++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [sy, sx] = [y - down, x - right];
        const inside = sy >= 0 && sy < height && sx >= 0 && sx < width;
        const base = plane * planeStep;
        to[base + (y * width + x) * pixelStep] = inside ? (from[base + (sy * width + sx) * pixelStep] as number) : 0;
      }
}

/** What each pixel of a plane is made of, the same for all planes. */
export interface Taps {
  /** Four source pixels for each. */
  readonly at: Uint32Array;
  /** Their weights; 0 where the tap lies outside. */
  readonly weight: Float64Array;
}

/**
 * The taps of a bilinear resampling about the centre. A pixel at (x, y) from it, y downwards, takes its value at (a x + b y, -b x + a y).
 * Coordinates are rounded to 1e-6 so that quarter turns are exact. `into` is written over, where it is given.
 */
export function findTaps({ height, width }: Pick<Planes, 'height' | 'width'>, a: number, b: number, into?: Taps): Taps {
  const at = into?.at ?? new Uint32Array(4 * height * width);
  const weight = into?.weight ?? new Float64Array(4 * height * width);
  at.fill(0);
  weight.fill(0);
  const snap = (v: number): number => Math.round(v * 1e6) / 1e6;
  let tap = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const x = column - (width - 1) / 2;
      const y = row - (height - 1) / 2;
      const sx = snap(a * x + b * y + (width - 1) / 2);
      const sy = snap(a * y - b * x + (height - 1) / 2);
      const left = Math.floor(sx);
      const top = Math.floor(sy);
      for (let corner = 0; corner < 4; corner++, tap++) {
        const c = left + (corner & 1);
        const r = top + (corner >> 1);
        if (c < 0 || c >= width || r < 0 || r >= height) continue;
        at[tap] = r * width + c;
        weight[tap] = (corner & 1 ? sx - left : 1 - (sx - left)) * (corner >> 1 ? sy - top : 1 - (sy - top));
      }
    }
  }
  return { at, weight };
}

/** Each pixel from its taps. Bytes are rounded. */
export function resample(from: Pixels, to: Pixels, layout: Planes, { at, weight }: Taps): void {
  const { planes, height, width, planeStep, pixelStep } = layout;
  const half = to instanceof Uint8Array ? 0.5 : 0;
  for (let plane = 0; plane < planes; plane++) {
    const base = plane * planeStep;
    for (let i = 0, t = 0; i < height * width; i++, t += 4) {
      to[base + i * pixelStep] =
        (weight[t] as number) * (from[base + (at[t] as number) * pixelStep] as number) +
        (weight[t + 1] as number) * (from[base + (at[t + 1] as number) * pixelStep] as number) +
        (weight[t + 2] as number) * (from[base + (at[t + 2] as number) * pixelStep] as number) +
        (weight[t + 3] as number) * (from[base + (at[t + 3] as number) * pixelStep] as number) +
        half;
    }
  }
}
