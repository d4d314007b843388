// Where a sample comes from: a drawing, by pointer or keyboard, or files; for inputs that are no images, numbers.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { tableRows } from '../web.js';
import { DropArea, FileButton } from './drop-area.js';
import { Pad, padSide } from './pad.js';
import { centred } from './picture.js';
import { Problem } from './problem.js';
import { SampleImage } from './sample-image.js';
import type { Loaded, State } from './state.js';
import type { Studio } from './studio.js';

interface AskProps {
  readonly studio: Studio;
  readonly state: State;
  readonly network: Loaded;
}

function DrawingPad({ studio, state, network }: AskProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pad = useRef<Pad | undefined>(undefined);
  const [said, setSaid] = useState('');
  const help = useId();
  const { image } = network.input;
  // The same picture may be drawn for the next network that takes its size: a drawing outlives a change of provider.
  const size = image && `${image.channels}x${image.height}x${image.width}`;
  useEffect(() => {
    if (canvas.current === null || image === undefined) return;
    const own = new Pad(canvas.current, () => {
      const row = own.empty ? undefined : centred(own.picture(), image.height, image.width);
      const all = row === undefined || image.channels === 1 ? row : Float32Array.from([...row, ...row, ...row]);
      studio.askAbout(all === undefined ? [] : [all]);
    });
    pad.current = own;
  }, [studio, size]);
  const drawn = pad.current !== undefined && !pad.current.empty;
  const at = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLCanvasElement).getBoundingClientRect();
    const scale = padSide / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  };
  return (
    <DropArea class="pad" onFiles={(files) => void studio.askFiles(files)}>
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
      {drawn || state.asked.length > 0 ? null : (
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
            void studio.askFiles(files);
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

/** A row of a table, or a file of rows. */
function TableRow({ studio, network }: AskProps) {
  const { input } = network.info;
  const [said, setSaid] = useState<string | undefined>(undefined);
  const id = useId();
  const ask = (text: string, where: string) => {
    if (text.trim() === '') return studio.askAbout([]);
    try {
      const { inputs, notes } = tableRows(text, input, where);
      setSaid(notes.length === 0 ? undefined : notes.join('; '));
      const rows = inputs.numbers();
      const size = network.input.size;
      studio.askAbout(
        Array.from({ length: rows.length / size }, (_, i) => Float32Array.from(rows.slice(i * size, (i + 1) * size))),
      );
    } catch (error) {
      setSaid(error instanceof Error ? error.message : String(error));
      studio.askAbout([]);
    }
  };
  const askFiles = async (files: readonly File[]) => {
    const [file] = files;
    if (file === undefined) return;
    if (/\.(csv|tsv|txt)$/i.test(file.name)) ask(await file.text(), file.name);
    else await studio.askFiles(files);
  };
  return (
    <DropArea class="numbers" onFiles={(files) => void askFiles(files)}>
      <label for={id}>{input.features?.map(({ name }) => name).join(', ')}: a row a line, apart by commas</label>
      <textarea id={id} rows={5} onInput={(event) => ask(event.currentTarget.value, 'row')} />
      <Problem text={said} />
      <FileButton label="Open .csv…" accept=".csv,.tsv,.npy" onFiles={(files) => void askFiles(files)} />
    </DropArea>
  );
}

function Numbers({ studio, network }: AskProps) {
  const { shape, size } = network.input;
  const [wrong, setWrong] = useState<string | undefined>(undefined);
  const id = useId();
  return (
    <DropArea class="numbers" onFiles={(files) => void studio.askFiles(files)}>
      <label for={id}>
        {size} numbers, [{shape.join(', ')}], apart by blanks or commas
      </label>
      <textarea
        id={id}
        rows={5}
        onInput={(event) => {
          const texts = event.currentTarget.value.split(/[\s,]+/).filter((t) => t !== '');
          const numbers = Float32Array.from(texts, Number);
          const bad = numbers.findIndex(Number.isNaN);
          setWrong(bad >= 0 ? `“${texts[bad]}” is no number` : undefined);
          if (bad < 0) studio.askAbout(numbers.length === size ? [numbers] : []);
        }}
      />
      <Problem text={wrong} />
      <FileButton label="Open .npy…" accept=".npy" onFiles={(files) => void studio.askFiles(files)} />
    </DropArea>
  );
}

/** Which of several samples is asked about, and how the network sees it. */
function Seen({ studio, state, network }: AskProps) {
  const { asked, at } = state;
  const row = asked[at];
  const { image } = network.input;
  const id = useId();
  if (row === undefined || image === undefined) return null;
  return (
    <div class="seen">
      <SampleImage row={row} image={image} label="The sample as the network sees it" />
      <div>
        <p class="quiet">
          As the network sees it: {image.height} × {image.width}, ink centred by its mass.
        </p>
        {asked.length < 2 ? null : (
          <p>
            <label for={id}>Sample </label>
            <input
              id={id}
              type="number"
              min={1}
              max={asked.length}
              value={at + 1}
              onInput={(event) => {
                const next = event.currentTarget.valueAsNumber - 1;
                if (Number.isInteger(next) && next >= 0 && next < asked.length) studio.askAbout(asked, next);
              }}
            />{' '}
            of {asked.length}
          </p>
        )}
      </div>
    </div>
  );
}

export function AskPanel(props: AskProps) {
  return (
    <>
      {props.network.info.input.features !== undefined ? (
        <TableRow {...props} />
      ) : props.network.input.image === undefined ? (
        <Numbers {...props} />
      ) : (
        <DrawingPad {...props} />
      )}
      <Problem text={props.state.problems.ask} />
      <Seen {...props} />
    </>
  );
}
