// The network drawn: columns, blocks, and laterals as wide as they are strong; the same as tables for people who read.
import { drawingOf, type LateralDrawing } from '../chart/network-layout.js';
import type { LateralStrength } from '../web.js';
import type { Loaded } from './state.js';

const grouped = (n: number): string => n.toLocaleString('en').replaceAll(',', ' ');
const places = (l: LateralDrawing<LateralStrength>, blocks: number): string => (l.into === blocks ? 'head' : `block ${l.into}`);

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

export function NetworkPanel({ network, teaching }: { readonly network: Loaded; readonly teaching: string | undefined }) {
  const { info } = network;
  const { tasks } = info;
  if (!info.growable)
    return (
      <p class="quiet">
        An ONNX model with the outputs {tasks.map((t) => t.task).join(', ')}. It says nothing of columns: open a .prognet file to
        see and teach them.
      </p>
    );
  const drawing = drawingOf(tasks, info.inputs.map(({ name, shape }) => `${name} ${shape.join(' × ')}`.trim()).join(', '));
  const blocksOf = (task: string) => tasks.find((t) => t.task === task)?.blocks.length ?? 0;
  const spoken = `${tasks.length} columns: ${tasks.map((t) => t.task).join(', ')}. ${drawing.laterals.length} laterals, as a table below.`;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="scroll drawing" tabIndex={0} aria-label="Drawing of the network">
        <svg
          viewBox={`0 0 ${drawing.width} ${drawing.height}`}
          style={{ width: `${drawing.width}px` }}
          role="img"
          aria-label={tasks.length === 0 ? 'A network without columns.' : spoken}
        >
          <g class="laterals">
            {drawing.laterals.map((l) => (
              <path key={`${l.task}/${l.into}/${l.source}`} d={l.path} stroke-width={l.width}>
                <title>
                  {l.source} into {places(l, blocksOf(l.task))} of {l.task}: gain {l.gain.toFixed(3)}
                </title>
              </path>
            ))}
          </g>
          {drawing.columns.map((column) => (
            <g key={column.task} class={column.trained ? 'column' : `column new${column.task === teaching ? ' teaching' : ''}`}>
              {column.links.map((d) => (
                <path key={d} class="link" d={d} />
              ))}
              {column.boxes.map((b, level) => (
                <g key={b.y}>
                  <rect
                    x={b.x}
                    y={b.y}
                    width={b.width}
                    height={b.height}
                    rx={7}
                    class={level === column.boxes.length - 1 ? 'head' : ''}
                  />
                  <text x={b.x + b.width / 2} y={b.y + (b.detail === '' ? 28 : 20)}>
                    {cut(b.title, 27)}
                  </text>
                  <text class="detail" x={b.x + b.width / 2} y={b.y + 36}>
                    {cut(b.detail, 27)}
                  </text>
                </g>
              ))}
              <text class="task" x={column.label.x} y={column.label.y}>
                {cut(column.task, 21)}
              </text>
            </g>
          ))}
          <rect
            class="input"
            x={drawing.input.x}
            y={drawing.input.y}
            width={drawing.input.width}
            height={drawing.input.height}
            rx={7}
          />
          <text x={drawing.input.x + drawing.input.width / 2} y={drawing.input.y + 20}>
            {drawing.input.title}
          </text>
        </svg>
      </section>
      {drawing.laterals.length === 0 ? null : (
        <p class="quiet small">
          Laterals are drawn as wide as they are strong: what their source becomes before it joins the block.
        </p>
      )}
      {tasks.length === 0 ? (
        <p class="quiet">No column yet. The first task that is taught makes one.</p>
      ) : (
        <details>
          <summary>In numbers</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
          <section class="scroll" tabIndex={0} aria-label="Columns and laterals in numbers">
            <table>
              <caption>Columns</caption>
              <thead>
                <tr>
                  <th scope="col">Task</th>
                  <th scope="col">State</th>
                  <th scope="col" class="number">
                    Parameters
                  </th>
                </tr>
              </thead>
              <tbody>
                {tasks.map((t) => (
                  <tr key={t.task}>
                    <th scope="row">{t.task}</th>
                    <td>{t.trained ? 'frozen' : t.task === teaching ? 'being taught' : 'untrained'}</td>
                    <td class="number">{grouped(t.parameters)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {drawing.laterals.length === 0 ? null : (
              <table>
                <caption>Laterals</caption>
                <thead>
                  <tr>
                    <th scope="col">From</th>
                    <th scope="col">Into</th>
                    <th scope="col" class="number">
                      α
                    </th>
                    <th scope="col" class="number">
                      Norm
                    </th>
                    <th scope="col" class="number">
                      Gain
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {drawing.laterals.map((l) => (
                    <tr key={`${l.task}/${l.into}/${l.source}`}>
                      <th scope="row">
                        {l.source}, block {l.sourceBlock}
                      </th>
                      <td>
                        {l.task}, {places(l, blocksOf(l.task))}
                      </td>
                      <td class="number">{l.alpha?.toFixed(3) ?? '–'}</td>
                      <td class="number">{l.norm.toFixed(2)}</td>
                      <td class="number">{l.gain.toFixed(3)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </section>
        </details>
      )}
    </>
  );
}
