// Loss of each step and accuracy on held-out examples while a column is trained, as one SVG; its numbers stand in the text beside it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { linePath } from '../chart/scale.js';
import type { Training } from './state.js';

const height = 210;
const margin = { left: 44, right: 44, top: 12, bottom: 26 };
const plotHeight = height - margin.top - margin.bottom;
/** Points of a line at most; more are averaged. */
const most = 280;

function averaged(values: readonly number[]): readonly { readonly at: number; readonly value: number }[] {
  const size = Math.max(1, Math.ceil(values.length / most));
  const out: { at: number; value: number }[] = [];
  for (let from = 0; from < values.length; from += size) {
    const part = values.slice(from, from + size);
    out.push({ at: from + part.length / 2, value: part.reduce((a, b) => a + b, 0) / part.length });
  }
  return out;
}

export function Chart({ training }: { readonly training: Training }) {
  const figure = useRef<HTMLElement>(null);
  // As wide as its place, so that its text stays as large as other text.
  const [width, setWidth] = useState(640);
  useEffect(() => {
    if (figure.current === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(240, Math.round(entry?.contentRect.width ?? 640))));
    observer.observe(figure.current);
    return () => observer.disconnect();
  }, []);
  const plotWidth = width - margin.left - margin.right;
  const { losses, firstStep, epochs, perEpoch, heldOut } = training;
  const steps = Math.max(1, epochs * perEpoch);
  const highest = Math.max(1e-3, ...averaged(losses).map((p) => p.value));
  const x = (step: number) => margin.left + (plotWidth * step) / steps;
  const yLoss = (loss: number) => margin.top + plotHeight * (1 - loss / highest);
  const yPart = (part: number) => margin.top + plotHeight * (1 - part);
  const lossLine = linePath(averaged(losses).map((p) => [x(firstStep + p.at), yLoss(p.value)]));
  const heldPoints = heldOut.map(({ epoch, accuracy }) => [x(epoch * perEpoch), yPart(accuracy)] as const);
  const last = heldOut.at(-1);
  const spoken = `Loss ${losses.at(-1)?.toFixed(3) ?? 'not known yet'}${last === undefined ? '' : `, held-out accuracy ${(last.accuracy * 100).toFixed(1)} percent`}`;
  return (
    <figure class="chart" ref={figure}>
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={spoken}>
        {[0, 0.5, 1].map((part) => (
          <g key={part}>
            <line class="rule" x1={margin.left} x2={width - margin.right} y1={yPart(part)} y2={yPart(part)} />
            <text class="left" x={margin.left - 6} y={yPart(part) + 4}>
              {(highest * part).toPrecision(2)}
            </text>
            {heldOut.length === 0 ? null : (
              <text class="right" x={width - margin.right + 6} y={yPart(part) + 4}>
                {part * 100} %
              </text>
            )}
          </g>
        ))}
        <text class="left" x={margin.left} y={height - 8} style={{ textAnchor: 'start' }}>
          0
        </text>
        <text class="left" x={width - margin.right} y={height - 8}>
          {steps} steps
        </text>
        <path class="loss" d={lossLine} />
        <path class="held" d={linePath(heldPoints)} />
        {heldPoints.map(([a, b]) => (
          <circle key={a} class="held-point" cx={a} cy={b} r={2.6} />
        ))}
      </svg>
      <figcaption>
        <span class="key loss-key">loss</span>
        {heldOut.length === 0 ? null : <span class="key held-key">accuracy on held-out examples</span>}
      </figcaption>
    </figure>
  );
}
