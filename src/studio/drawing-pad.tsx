// A sample drawn by pointer or keyboard: ink for networks of digits, colours or greys where the input is of such. Files fall into it too.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { InputProps } from './ask-props.js';
import { DropArea, FileButton } from './drop-area.js';
import { type InputShape, ofDrawing, partOf, strides } from './input-shape.js';
import { type Colours, Pad, padSide } from './pad.js';
import { centred } from './picture.js';
import { sampleOf } from './pixels.js';
import type { Loaded } from './state.js';
import { triedSamples } from './tried-samples.js';

const dark = '#000000';
const light = '#ffffff';

/** The first sample of the test data that has the input. */
function firstTried(network: Loaded, { name }: InputShape) {
  const found = triedSamples(network).flatMap(({ row, sample: { inputs } }) => {
    const input = inputs.find((own) => own.name === name);
    const part = input && partOf(row, input);
    return input === undefined || part === undefined ? [] : [{ input, part }];
  });
  return found[0];
}

/** Paper as most of the border of the first sample is, and a pen that is seen on it. */
function coloursOf(network: Loaded, input: InputShape): Colours {
  const tried = firstTried(network, input);
  const { image } = tried?.input ?? input;
  const row = tried?.part;
  if (image === undefined || row === undefined) return { pen: dark, paper: light };
  const { height, width, channels } = image;
  const { pixel, channel } = strides(image);
  const places = [...Array(width).keys()].flatMap((x) => [x, (height - 1) * width + x]);
  const middle = (c: number) =>
    places.map((i) => row[i * pixel + c * channel] ?? 0).sort((a, b) => a - b)[places.length >> 1] ?? 0;
  const [r = 0, g = r, b = r] = Array.from({ length: Math.min(3, channels) }, (_, c) => middle(c));
  const hex = (v: number) =>
    Math.round(255 * Math.min(1, Math.max(0, v)))
      .toString(16)
      .padStart(2, '0');
  return { paper: `#${hex(r)}${hex(g)}${hex(b)}`, pen: r + g + b > 1.5 ? dark : light };
}

interface PensProps {
  readonly grey: boolean;
  readonly colours: Colours;
  readonly onColours: (colours: Colours) => void;
}

function Pens({ grey, colours, onColours }: PensProps) {
  const { pen, paper } = colours;
  if (grey)
    return (
      <label class="check">
        <input
          type="checkbox"
          checked={pen === light}
          onChange={(e) => onColours(e.currentTarget.checked ? { pen: light, paper: dark } : { pen: dark, paper: light })}
        />
        White on black
      </label>
    );
  return (
    <div class="row">
      <label class="swatch">
        Pen <input type="color" value={pen} onInput={(e) => onColours({ pen: e.currentTarget.value, paper })} />
      </label>
      <label class="swatch">
        Paper <input type="color" value={paper} onInput={(e) => onColours({ pen, paper: e.currentTarget.value })} />
      </label>
    </div>
  );
}

export function DrawingPad({ page, state, network, input }: InputProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pad = useRef<Pad | undefined>(undefined);
  const [said, setSaid] = useState('');
  const help = useId();
  // Where the network takes any size a drawing has that of the first sample.
  const drawing = firstTried(network, input)?.input ?? ofDrawing(input);
  const { image, ink } = drawing;
  const [colours, setColours] = useState(() => (ink ? undefined : coloursOf(network, input)));
  // The same picture may be drawn for the next network that takes its size: a drawing outlives a change of provider.
  const size = image && `${image.channels}x${image.height}x${image.width} ${image.axes} ${ink}`;
  useEffect(() => {
    if (canvas.current === null || image === undefined) return undefined;
    const drawn = () => (ink ? centred(own.picture(), image.height, image.width) : sampleOf(own.pixels(), image, 'fill'));
    const asked = () => {
      page.askPart(drawing, own.empty ? undefined : drawn());
    };
    const first = ink ? undefined : coloursOf(network, input);
    const own = new Pad(canvas.current, asked, first);
    setColours(first);
    pad.current = own;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const draw = () => own.draw();
    dark.addEventListener('change', draw);
    return () => dark.removeEventListener('change', draw);
  }, [page, size]);
  const colour = (next: Colours) => {
    setColours(next);
    pad.current?.colour(next);
  };
  const drawn = pad.current !== undefined && !pad.current.empty;
  const at = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLCanvasElement).getBoundingClientRect();
    const scale = padSide / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  };
  return (
    <DropArea class="pad" onFiles={(files) => void page.askFiles(files, input)}>
      {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: keys go to the pad, as in any drawing program */}
      <canvas
        ref={canvas}
        width={padSide}
        height={padSide}
        tabIndex={0}
        role="application"
        aria-label="Drawing pad"
        aria-describedby={help}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          pad.current?.begin(at(event));
        }}
        onPointerMove={(event) => {
          if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
          for (const part of event.getCoalescedEvents?.() ?? [event]) {
            const box = event.currentTarget.getBoundingClientRect();
            const scale = padSide / box.width;
            pad.current?.extend({ x: (part.clientX - box.left) * scale, y: (part.clientY - box.top) * scale });
          }
        }}
        onPointerUp={() => pad.current?.end()}
        onPointerCancel={() => pad.current?.end()}
        onKeyDown={(event) => {
          if (event.ctrlKey || event.metaKey || event.altKey) return;
          const done = pad.current?.key(event.key);
          if (done === undefined) return;
          event.preventDefault();
          setSaid(done);
        }}
        onFocus={(event) => pad.current?.focus(event.currentTarget.matches(':focus-visible'))}
        onBlur={() => pad.current?.focus(false)}
      />
      {colours === undefined ? null : <Pens grey={image?.channels === 1} colours={colours} onColours={colour} />}
      {drawn || partOf(state.asked[state.at], input) !== undefined ? null : (
        <p class="pad-hint" aria-hidden="true">
          Draw here, or drop an image
        </p>
      )}
      <p id={help} class="hidden">
        Arrow keys move the pen, Space puts it down and lifts it, Backspace takes the last stroke back, Delete clears.
      </p>
      <p class="hidden" aria-live="polite">
        {said}
      </p>
      <div class="row">
        <button type="button" onClick={() => pad.current?.undo()}>
          Undo
        </button>
        <button type="button" onClick={() => pad.current?.clear()}>
          Clear
        </button>
        <FileButton
          label="Open…"
          spoken="Open images, .npy or IDX files to ask about"
          accept="image/*,.npy,.gz,.idx,.idx3"
          multiple
          onFiles={(files) => {
            pad.current?.clear();
            void page.askFiles(files, input);
          }}
        />
      </div>
      <details class="help">
        <summary>By keyboard</summary>
        <p>
          With the pad in focus: <kbd>arrows</kbd> move the pen, <kbd>Space</kbd> puts it down and lifts it, <kbd>Backspace</kbd>{' '}
          takes the last stroke back, <kbd>Delete</kbd> clears.
        </p>
      </details>
    </DropArea>
  );
}
