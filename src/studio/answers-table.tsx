// Answers to several samples as a table, and as the CSV file that `prognet predict` writes of them.
import { useState } from 'preact/hooks';
import type { AskProps } from './ask-props.js';
import { download } from './download.js';
import { FarNotes } from './far-notes.js';
import { NameText } from './name-text.js';

/** Rows that are shown; the file has them all. */
const shown = 50;

export function AnswersTable({ page, state }: AskProps) {
  const { all, asked, at } = state;
  const [more, setMore] = useState(false);
  if (all.length === 0) return <p class="quiet">{state.problems.ask === undefined ? 'Being computed.' : 'No answers.'}</p>;
  const columns = all.flatMap(({ task, heads, strange }) => heads.map((head) => ({ ...head, task, strange })));
  const count = Math.min(asked.length, more ? asked.length : shown);
  return (
    <>
      <div class="row">
        {all.map(({ task, csv }) => (
          <button key={task} type="button" onClick={() => download(new TextEncoder().encode(csv()), `${task}-answers.csv`)}>
            Save {task} as CSV
          </button>
        ))}
      </div>
      <FarNotes tasks={all} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by keyboard */}
      <section class="scroll" aria-label="Answers to all samples" tabIndex={0}>
        <table class="all">
          <thead>
            <tr>
              <th scope="col">Sample</th>
              {columns.map(({ task, name }) => (
                <th key={`${task}/${name}`} scope="col">
                  <NameText text={name === undefined ? task : `${task} ${name}`} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {Array.from({ length: count }, (_, row) => (
              <tr key={row} class={row === at ? 'chosen' : ''}>
                <th scope="row">
                  <button
                    type="button"
                    class="plain"
                    aria-label={`Show sample ${row + 1}`}
                    onClick={() => page.askAbout(asked, row)}
                  >
                    {row + 1}
                  </button>
                </th>
                {columns.map(({ task, name, cells, strange }) => (
                  <td key={`${task}/${name}`}>
                    <NameText text={cells[row]?.answer ?? ''} /> <span class="quiet">{cells[row]?.number}</span>
                    {strange?.[row] === true ? <span class="mark">unlike its data</span> : null}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {count < asked.length ? (
        <button type="button" onClick={() => setMore(true)}>
          Show all {asked.length}
        </button>
      ) : null}
    </>
  );
}
