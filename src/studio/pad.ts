// The drawing: strokes on a canvas, by pointer or by keyboard, taken off as a picture of ink or as coloured pixels. Knows the canvas and nothing of
// the network.
import type { Picture } from './picture.js';
import type { Pixels } from './resample.js';

interface Point {
  readonly x: number;
  readonly y: number;
}

/** The canvas has this many pixels a side, whatever its size on the page. */
export const padSide = 280;
const penWidth = 20;
/** Of a keystroke. */
const stepLength = 10;

/** Colours as #rrggbb. */
export interface Colours {
  readonly pen: string;
  readonly paper: string;
}

interface Stroke {
  readonly points: Point[];
  readonly pen: string | undefined;
}

export class Pad {
  private strokes: Stroke[] = [];
  /** The keyboard's pen. */
  private pen: Point = { x: padSide / 2, y: padSide / 2 };
  private down = false;
  private cursor = false;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly changed: () => void,
    /** undefined: ink in the page's own colours. */
    private colours: Colours | undefined,
  ) {
    this.draw();
  }

  /** The next strokes are of this pen; the paper changes under all. */
  colour(colours: Colours): void {
    const repainted = this.colours?.paper !== colours.paper && !this.empty;
    this.colours = colours;
    this.draw();
    if (repainted) this.changed();
  }

  get empty(): boolean {
    return this.strokes.length === 0;
  }

  begin(at: Point): void {
    this.cursor = false;
    this.strokes.push({ points: [at], pen: this.colours?.pen });
    this.draw();
  }

  extend(at: Point): void {
    this.strokes.at(-1)?.points.push(at);
    this.draw();
  }

  end(): void {
    this.changed();
  }

  undo(): void {
    this.strokes.pop();
    this.down = false;
    this.draw();
    this.changed();
  }

  clear(): void {
    this.strokes = [];
    this.down = false;
    this.draw();
    this.changed();
  }

  /** The cursor is seen while the keyboard has the pen. */
  focus(on: boolean): void {
    this.cursor = on;
    this.draw();
  }

  /** What the key does, in words; undefined where it means nothing here. */
  key(name: string): string | undefined {
    const by: Readonly<Record<string, Point>> = {
      ArrowLeft: { x: -stepLength, y: 0 },
      ArrowRight: { x: stepLength, y: 0 },
      ArrowUp: { x: 0, y: -stepLength },
      ArrowDown: { x: 0, y: stepLength },
    };
    const move = by[name];
    this.cursor = true;
    if (move !== undefined) {
      const within = (v: number) => Math.min(padSide, Math.max(0, v));
      this.pen = { x: within(this.pen.x + move.x), y: within(this.pen.y + move.y) };
      if (this.down) this.extend(this.pen);
      else this.draw();
      return `${this.down ? 'drawing' : 'moving'}, column ${this.pen.x / stepLength}, row ${this.pen.y / stepLength}`;
    }
    if (name === ' ' || name === 'Enter') {
      this.down = !this.down;
      if (this.down) this.strokes.push({ points: [this.pen], pen: this.colours?.pen });
      else this.changed();
      this.draw();
      return this.down ? 'pen down' : 'pen up';
    }
    if (name === 'Backspace') {
      this.undo();
      return 'last stroke taken back';
    }
    if (name === 'Delete') {
      this.clear();
      return 'cleared';
    }
    return undefined;
  }

  /** Anew, in the page's colours as they are now. */
  draw(): void {
    const context = this.canvas.getContext('2d');
    if (context === null) return;
    context.clearRect(0, 0, padSide, padSide);
    const ink = this.colours?.pen ?? getComputedStyle(this.canvas).getPropertyValue('color');
    this.paint(context, ink);
    if (!this.cursor) return;
    context.beginPath();
    context.arc(this.pen.x, this.pen.y, penWidth / 2 + 2, 0, 2 * Math.PI);
    context.strokeStyle = ink;
    context.lineWidth = this.down ? 4 : 1.5;
    context.stroke();
  }

  /** The strokes alone, 1 for ink. */
  picture(): Picture {
    const context = new OffscreenCanvas(padSide, padSide).getContext('2d', { willReadFrequently: true });
    if (context === null) throw new Error('internal: no canvas');
    this.paint(context, '#000');
    const { data } = context.getImageData(0, 0, padSide, padSide);
    return {
      width: padSide,
      height: padSide,
      data: Float32Array.from({ length: padSide ** 2 }, (_, i) => (data[4 * i + 3] ?? 0) / 255),
    };
  }

  /** Strokes on their paper. */
  pixels(): Pixels {
    const context = new OffscreenCanvas(padSide, padSide).getContext('2d', { willReadFrequently: true });
    if (context === null) throw new Error('internal: no canvas');
    this.paint(context, '#000');
    return { width: padSide, height: padSide, data: context.getImageData(0, 0, padSide, padSide).data };
  }

  private paint(context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, ink: string): void {
    if (this.colours !== undefined) {
      context.fillStyle = this.colours.paper;
      context.fillRect(0, 0, padSide, padSide);
    }
    for (const { points, pen } of this.strokes) paint(context, points, pen ?? ink);
  }
}

function paint(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  [first, ...rest]: readonly Point[],
  ink: string,
): void {
  if (first === undefined) return;
  context.lineWidth = penWidth;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.strokeStyle = ink;
  context.beginPath();
  context.moveTo(first.x, first.y);
  // A dot is a line of no length, which needs its end.
  if (rest.length === 0) context.lineTo(first.x + 0.01, first.y);
  for (const { x, y } of rest) context.lineTo(x, y);
  context.stroke();
}
