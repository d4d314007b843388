// Where a sample comes from: one of the test data, a drawing, a row of a table, numbers, files; and which of several samples is asked about.
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import type { AskProps, InputProps } from './ask-props.js';
import { DrawingPad } from './drawing-pad.js';
import { FileButton } from './drop-area.js';
import { partOf } from './input-shape.js';
import { NameText } from './name-text.js';
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
function Seen({ input, state, children }: InputProps & { readonly children?: ComponentChildren }) {
  const row = partOf(state.asked[state.at], input);
  const { image, ink, decoding } = input;
  if (row === undefined || image === undefined) return <>{children}</>;
  const how = ink ? ', ink centred by its mass' : decoding?.fit === undefined ? '' : `, made to fit by “${decoding.fit}”`;
  return (
    <div class="seen">
      <SampleImage row={row} image={image} ink={ink} label="The sample as the network sees it" />
      <div>
        <p class="quiet">
          As the network sees it: {image.height} × {image.width}
          {how}.
        </p>
        {children}
      </div>
    </div>
  );
}

/** What asks for one input: fields of a table, numbers, or a pad. */
function Own(props: InputProps) {
  const { features, image } = props.input;
  const Field = features !== undefined ? TableFields : image === undefined ? NumbersField : DrawingPad;
  return <Field {...props} />;
}

/** Several inputs, each by its name, and files of all of them. */
function Several(props: AskProps) {
  const { page, network } = props;
  return (
    <>
      <SampleStrip {...props} />
      {network.sample.inputs.map((input) => (
        <fieldset key={input.name} class="input">
          <legend>
            <NameText text={input.name} />
          </legend>
          <Own {...props} input={input} />
          <Seen {...props} input={input} />
        </fieldset>
      ))}
      <FileButton
        label="Open all inputs…"
        spoken="Open a .npz file with an array for each input, or a table of them"
        accept=".npz,.csv,.tsv"
        onFiles={(files) => void page.askFiles(files)}
      />
    </>
  );
}

/** One input, the only one of most networks. */
function Single(props: InputProps) {
  const { image } = props.input;
  return (
    <>
      {image === undefined ? <SampleStrip {...props} /> : null}
      <Own {...props} />
      {image === undefined ? null : <SampleStrip {...props} />}
    </>
  );
}

export function AskPanel(props: AskProps) {
  const { first, inputs } = props.network.sample;
  return (
    <>
      {inputs.length > 1 ? <Several {...props} /> : <Single {...props} input={first} />}
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
      {inputs.length > 1 ? (
        <Which {...props} />
      ) : (
        <Seen {...props} input={first}>
          <Which {...props} />
        </Seen>
      )}
    </>
  );
}
