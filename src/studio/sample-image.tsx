// One sample as the network sees it, at one pixel a number. Ink is dark on a light ground, or the other way round in the dark.
import { useEffect, useRef } from 'preact/hooks';
import { type ImageShape, strides } from './input-shape.js';

export interface SampleImageProps {
  readonly row: Float32Array;
  readonly image: ImageShape;
  /** Whether grey levels are ink, shown dark on a light ground. */
  readonly ink?: boolean;
  /** Empty for one that stands beside its own description. */
  readonly label?: string;
}

export function SampleImage({ row, image, ink = image.channels === 1, label = '' }: SampleImageProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, channels } = image;
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context === null || context === undefined) return;
    const pixels = context.createImageData(width, height);
    const { pixel, channel } = strides(image);
    const at = (i: number) => Math.round(255 * Math.min(1, Math.max(0, row[i] ?? 0)));
    for (let i = 0; i < width * height; i++) {
      const own = Array.from({ length: channels }, (_, c) => at(i * pixel + c * channel));
      const [r = 0, g = r, b = r, alpha = 255] = own;
      pixels.data.set([r, g, b, alpha], 4 * i);
    }
    context.putImageData(pixels, 0, 0);
  }, [row, width, height, channels, image.axes]);
  const shown = { ref: canvas, class: `sample${ink ? ' grey' : ''}`, width, height };
  return label === '' ? <canvas {...shown} /> : <canvas {...shown} role="img" aria-label={label} />;
}
