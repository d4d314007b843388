// Taking the network away as ONNX or as a .prognet file, and bringing another.
import { useState } from 'preact/hooks';
import { download } from './download.js';
import { FileButton } from './drop-area.js';
import { Problem } from './problem.js';
import { messageOf } from './remedies.js';
import type { Loaded, State } from './state.js';
import type { Studio } from './studio.js';

interface TakeProps {
  readonly studio: Studio;
  readonly state: State;
  readonly network: Loaded;
}

export function TakePanel({ studio, state, network }: TakeProps) {
  const { info } = network;
  const [task, setTask] = useState('');
  const [wrong, setWrong] = useState<string | undefined>(undefined);
  const trained = info.tasks.filter((t) => t.trained);
  const chosen = trained.some((t) => t.task === task) ? task : '';
  const take = async (bytes: Promise<Uint8Array>, name: string) => {
    try {
      setWrong(undefined);
      download(await bytes, name);
    } catch (error) {
      setWrong(messageOf(error));
    }
  };
  const growable = info.growable && trained.length > 0 && !state.busy;
  return (
    <>
      <div class="row">
        <label>
          <span class="hidden">Tasks to export</span>
          <select value={chosen} disabled={!growable} onChange={(event) => setTask(event.currentTarget.value)}>
            <option value="">every task in one file</option>
            {trained.map((t) => (
              <option key={t.task} value={t.task}>
                {t.task}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          class="primary"
          disabled={!growable}
          onClick={() => void take(studio.exported(chosen === '' ? undefined : chosen), `${chosen || info.name}.onnx`)}
        >
          Download ONNX
        </button>
      </div>
      <p class="quiet small">An ordinary ONNX file, weights included: scores, probabilities and labels.</p>
      <div class="row">
        <button type="button" disabled={!growable} onClick={() => void take(studio.saved(), `${info.name}.prognet`)}>
          Download the network
        </button>
        <FileButton
          label="Open another…"
          spoken="Open another network, a .prognet file or an .onnx model"
          accept=".prognet,.onnx"
          disabled={state.busy}
          onFiles={([file]) => file !== undefined && void studio.openFile(file)}
        />
        <button type="button" disabled={state.busy} onClick={() => void studio.beginEmpty()}>
          Begin an empty one
        </button>
        {state.changed ? (
          <button type="button" disabled={state.busy} onClick={() => void studio.reset()}>
            Back to the one it came with
          </button>
        ) : null}
      </div>
      <p class="quiet small">
        {info.growable
          ? 'The .prognet file holds every column and grows on, here and in prognet/web.'
          : 'This is an ONNX model: it answers but cannot grow.'}
      </p>
      <Problem text={wrong ?? state.problems.network} />
    </>
  );
}
