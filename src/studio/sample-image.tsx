// One sample as the network sees it, dark ink on a light ground (or the other way round in the dark), at one pixel a number.
import { useEffect, useRef } from 'preact/hooks';
import type { InputShape } from './input-shape.js';

export interface SampleImageProps {
  readonly row: Float32Array;
  readonly image: NonNullable<InputShape['image']>;
  /** Empty for one that stands beside its own description. */
  readonly label?: string;
}

export function SampleImage({ row, image, label = '' }: SampleImageProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, channels } = image;
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context === null || context === undefined) return;
    const pixels = context.createImageData(width, height);
    const area = width * height;
    const at = (i: number) => Math.round(255 * Math.min(1, Math.max(0, row[i] ?? 0)));
    for (let i = 0; i < area; i++)
      pixels.data.set(channels === 3 ? [at(i), at(i + area), at(i + 2 * area), 255] : [at(i), at(i), at(i), 255], 4 * i);
    context.putImageData(pixels, 0, 0);
  }, [row, width, height, channels]);
  const shown = { ref: canvas, class: `sample${channels === 1 ? ' grey' : ''}`, width, height };
  return label === '' ? <canvas {...shown} /> : <canvas {...shown} role="img" aria-label={label} />;
}
