// The lesson: a name, classes with their examples, and the training with its chart.
import { useId } from 'preact/hooks';
import { Chart } from './chart.js';
import { DropArea, FileButton } from './drop-area.js';
import { partOf } from './input-shape.js';
import { lacking } from './lesson.js';
import { Problem } from './problem.js';
import { SampleImage } from './sample-image.js';
import type { Loaded, State, Training } from './state.js';
import type { Studio } from './studio.js';

interface TeachProps {
  readonly studio: Studio;
  readonly state: State;
  readonly network: Loaded;
}

const thumbnails = 14;

function ClassRow({ studio, state, network, index }: TeachProps & { readonly index: number }) {
  const { lesson, asked, at } = state;
  const found = lesson.classes[index];
  const id = useId();
  if (found === undefined) return null;
  const { name, examples } = found;
  const sample = asked[at];
  const { inputs, first } = lesson.sample ?? network.sample;
  const shown = inputs.find(({ image }) => image !== undefined) ?? first;
  const { image, ink } = shown;
  return (
    <li>
      <DropArea class="class" onFiles={(files) => void studio.addExampleFiles(index, files)}>
        <label class="hidden" for={id}>
          Name of class {index + 1}
        </label>
        <input
          id={id}
          class="class-name"
          value={name}
          maxLength={40}
          onInput={(e) => studio.editClass(index, { name: e.currentTarget.value })}
        />
        <div class="thumbnails">
          {image === undefined
            ? null
            : examples
                .slice(-thumbnails)
                .map((row, i) => (
                  <SampleImage
                    key={`${examples.length - i}`}
                    row={partOf(row, shown) ?? new Float32Array()}
                    image={image}
                    ink={ink}
                  />
                ))}
          <span class="quiet small">
            {examples.length === 0 ? 'no examples yet' : `${examples.length} ${examples.length === 1 ? 'example' : 'examples'}`}
          </span>
        </div>
        <div class="row">
          <button
            type="button"
            disabled={sample === undefined}
            title={sample === undefined ? 'Draw or open a sample first' : undefined}
            aria-label={`Add the sample above to ${name}`}
            onClick={() => void studio.addAsked(index)}
          >
            Add the sample
          </button>
          <FileButton
            label="Files…"
            spoken={`Add files to ${name}: ${inputs.length > 1 ? 'a .npz of all inputs' : 'images, .npy or IDX'}`}
            accept={inputs.length > 1 ? '.npz' : 'image/*,.npy,.gz,.idx'}
            multiple
            onFiles={(files) => void studio.addExampleFiles(index, files)}
          />
          <button
            type="button"
            class="plain"
            aria-label={`Remove class ${name}`}
            onClick={() => studio.edit({ classes: lesson.classes.filter((_, i) => i !== index) })}
          >
            Remove
          </button>
        </div>
      </DropArea>
    </li>
  );
}

function LessonForm(props: TeachProps) {
  const { studio, state, network } = props;
  const { lesson, offered } = state;
  const [name, epochs, rate] = [useId(), useId(), useId()];
  const missing = lacking(
    lesson,
    network.info.tasks.map((t) => t.task),
    lesson.sample ?? network.sample,
  );
  const several = network.sample.inputs.length > 1;
  const begun = lesson.task !== '' || lesson.classes.some((c) => c.examples.length > 0);
  return (
    <form
      class="lesson"
      onSubmit={(event) => {
        event.preventDefault();
        void studio.teach();
      }}
    >
      <div class="lesson-head">
        <div class="field">
          <label for={name}>Name of the task</label>
          <input
            id={name}
            value={lesson.task}
            placeholder="letters"
            maxLength={60}
            autocomplete="off"
            spellcheck={false}
            onInput={(e) => studio.edit({ task: e.currentTarget.value.trim() })}
          />
        </div>
        <div class="row">
          {offered === undefined ? null : (
            <button type="button" onClick={() => void studio.takeOffered()}>
              Take {offered}
            </button>
          )}
          <FileButton
            label="Labelled files…"
            spoken={`Open labelled samples: ${several ? 'a .npz of all inputs and y' : 'x.npy and y.npy, or an IDX pair'}`}
            accept={several ? '.npz' : '.npy,.gz,.idx,.idx1,.idx3'}
            multiple
            onFiles={(files) => void studio.addLabelled(files)}
          />
        </div>
      </div>
      <ul class="classes" aria-label="Classes">
        {lesson.classes.map((_, index) => (
          <ClassRow key={index} {...props} index={index} />
        ))}
      </ul>
      <div class="row">
        <button
          type="button"
          onClick={() => studio.edit({ classes: [...lesson.classes, { name: nextName(lesson.classes.length), examples: [] }] })}
        >
          Add a class
        </button>
      </div>
      <details>
        <summary>How it is trained</summary>
        <div class="settings">
          <div class="field">
            <label for={epochs}>Passes over the examples</label>
            <input
              id={epochs}
              type="number"
              min={1}
              max={500}
              placeholder="by itself"
              value={lesson.epochs ?? ''}
              onInput={(e) => {
                const n = e.currentTarget.valueAsNumber;
                studio.edit({ epochs: Number.isInteger(n) && n > 0 ? Math.min(500, n) : undefined });
              }}
            />
          </div>
          <div class="field">
            <label for={rate}>Learning rate</label>
            <input
              id={rate}
              type="number"
              min={0.0001}
              max={0.1}
              step="any"
              value={lesson.rate}
              onInput={(e) => e.currentTarget.valueAsNumber > 0 && studio.edit({ rate: e.currentTarget.valueAsNumber })}
            />
          </div>
          <label class="check">
            <input type="checkbox" checked={lesson.vary} onChange={(e) => studio.edit({ vary: e.currentTarget.checked })} />
            Vary few examples by small shifts, turns and sizes
          </label>
        </div>
        <p class="quiet small">
          A fifth of each class is held out where it has five examples or more. The new column has the blocks of the first one and
          hears every earlier column through adapters of rank 8. With 40 examples held out, answers are marked where a sample is
          unlike them.
        </p>
      </details>
      <div class="row">
        <button type="submit" class="primary" disabled={missing !== undefined || !network.info.growable || state.busy}>
          Teach it
        </button>
        <span class="quiet small">
          {network.info.growable
            ? missing !== undefined && begun
              ? missing
              : ''
            : 'An ONNX model answers but cannot grow: open a .prognet file.'}
        </span>
      </div>
    </form>
  );
}

/** A, B, ... Z, then numbers. */
function nextName(index: number): string {
  return index < 26 ? String.fromCharCode(65 + index) : String(index + 1);
}

function Progress({
  studio,
  training,
  running,
}: {
  readonly studio: Studio;
  readonly training: Training;
  readonly running: boolean;
}) {
  const { task, stage, epoch, epochs, part, losses, heldOut, provider, stopping } = training;
  const last = heldOut.at(-1);
  const finished = stage === 'proving';
  const where = {
    preparing: 'computing what earlier columns see of the examples',
    training: `epoch ${Math.min(epoch + 1, epochs)} of ${epochs}`,
    proving: 'asking the earlier tasks again',
  }[stage];
  const loss = losses.slice(-20).reduce((a, b) => a + b, 0) / Math.max(1, Math.min(20, losses.length));
  return (
    <div class="training">
      <div class="training-head">
        <h3>{running ? `Teaching ${task}` : finished ? `Taught ${task}` : `Stopped teaching ${task}`}</h3>
        {running ? (
          <button type="button" onClick={() => studio.cancel()} disabled={stopping || stage === 'proving'}>
            {stopping ? 'Stopping' : 'Stop'}
          </button>
        ) : null}
      </div>
      {running ? (
        <progress aria-label={`Progress of ${task}`} max={1} value={stage === 'proving' ? 1 : (epoch + part) / epochs} />
      ) : null}
      <div class="training-body">
        <Chart training={training} />
        <dl class="figures">
          <div>
            <dt>{running ? 'Now' : 'Steps'}</dt>
            <dd>{running ? where : training.firstStep + losses.length}</dd>
          </div>
          <div>
            <dt>Loss</dt>
            <dd id="loss">{losses.length === 0 ? '–' : loss.toFixed(4)}</dd>
          </div>
          <div>
            <dt>Held-out accuracy</dt>
            <dd id="accuracy">{last === undefined ? '–' : `${(last.accuracy * 100).toFixed(1)} %`}</dd>
          </div>
          <div>
            <dt>Provider</dt>
            <dd>{provider}</dd>
          </div>
        </dl>
      </div>
    </div>
  );
}

function Unfinished({
  studio,
  task,
  elsewhere,
  busy,
}: {
  readonly studio: Studio;
  readonly task: string;
  readonly elsewhere: boolean;
  readonly busy: boolean;
}) {
  return (
    <div class="unfinished">
      <p>
        {elsewhere
          ? `Another tab is teaching ${task} right now.`
          : `The lesson ${task} is unfinished. What it had learned is kept in this browser; it ends with the same bits as if it had never stopped.`}
      </p>
      <div class="row">
        <button type="button" class="primary" disabled={busy} onClick={() => void studio.resume()}>
          Go on with {task}
        </button>
        <button type="button" disabled={elsewhere || busy} onClick={() => void studio.discard()}>
          Give it up
        </button>
      </div>
    </div>
  );
}

export function TeachPanel(props: TeachProps) {
  const { studio, state } = props;
  const { training, teaching, unfinished, problems } = state;
  return (
    <>
      {training === undefined ? null : <Progress studio={studio} training={training} running={teaching} />}
      {unfinished === undefined || teaching ? null : <Unfinished studio={studio} busy={state.busy} {...unfinished} />}
      <Problem text={problems.teach} />
      {teaching || unfinished !== undefined ? null : <LessonForm {...props} />}
    </>
  );
}
