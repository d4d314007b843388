// Where a sample comes from: one of the test data, a drawing, a row of a table, numbers, files; and which of several samples is asked about.
import { useId } from 'preact/hooks';
import type { AskProps } from './ask-props.js';
import { DrawingPad } from './drawing-pad.js';
import { NumbersField } from './numbers-field.js';
import { Problem } from './problem.js';
import { SampleImage } from './sample-image.js';
import { SampleStrip } from './sample-strip.js';
import { TableFields } from './table-fields.js';

/** Which of several samples is asked about. */
function Which({ page, state }: AskProps) {
  const { asked, at } = state;
  const id = useId();
  if (asked.length < 2) return null;
  return (
    <p class="which">
      <label for={id}>Sample </label>
      <input
        id={id}
        type="number"
        min={1}
        max={asked.length}
        value={at + 1}
        onInput={(event) => {
          const next = event.currentTarget.valueAsNumber - 1;
          if (Number.isInteger(next) && next >= 0 && next < asked.length) page.askAbout(asked, next);
        }}
      />{' '}
      of {asked.length}
    </p>
  );
}

/** How the network sees an image. */
function Seen(props: AskProps) {
  const { asked, at } = props.state;
  const row = asked[at];
  const { image, ink, decoding } = props.network.input;
  if (row === undefined || image === undefined) return <Which {...props} />;
  const how = ink ? ', ink centred by its mass' : decoding?.fit === undefined ? '' : `, made to fit by “${decoding.fit}”`;
  return (
    <div class="seen">
      <SampleImage row={row} image={image} ink={ink} label="The sample as the network sees it" />
      <div>
        <p class="quiet">
          As the network sees it: {image.height} × {image.width}
          {how}.
        </p>
        <Which {...props} />
      </div>
    </div>
  );
}

export function AskPanel(props: AskProps) {
  const { input, info } = props.network;
  const Own = info.input.features !== undefined ? TableFields : input.image === undefined ? NumbersField : DrawingPad;
  return (
    <>
      {input.image === undefined ? <SampleStrip {...props} /> : null}
      <Own {...props} />
      {input.image === undefined ? null : <SampleStrip {...props} />}
      <Problem text={props.state.problems.ask} />
      <div role="status">
        {props.state.notes.length === 0 ? null : (
          <ul class="notes quiet small" aria-label="What was read">
            {props.state.notes.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        )}
      </div>
      <Seen {...props} />
    </>
  );
}
