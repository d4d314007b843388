// Answers to several samples as a table, and as the CSV file that `prognet predict` writes of them.
import { useState } from 'preact/hooks';
import type { AskProps } from './ask-props.js';
import { download } from './download.js';
import { FarNotes } from './far-notes.js';
import { NameText } from './name-text.js';
import type { AllAnswers } from './state.js';

/** Rows that are shown; the file has them all. */
const shown = 50;

/** The answer of a row in words, and how likely it is. */
function cellsOf({ rows }: AllAnswers, row: number): { answer: string; number: string } {
  const values = rows.values[row] ?? [];
  const label = rows.label(row);
  if (label === undefined) return { answer: values.map((v) => v.toPrecision(5)).join(', '), number: '' };
  const called =
    rows.called(row) ?? (typeof label === 'number' ? String(label) : label.flatMap((v, i) => (v === 1 ? [String(i)] : [])));
  const likeliest = Math.max(...values);
  return {
    answer: [called].flat().join(' and ') || 'none',
    number: typeof label === 'number' ? `${(likeliest * 100).toFixed(1)} %` : '',
  };
}

export function AnswersTable({ page, state }: AskProps) {
  const { all, asked, at } = state;
  const [more, setMore] = useState(false);
  if (all.length === 0) return <p class="quiet">{state.problems.ask === undefined ? 'Being computed.' : 'No answers.'}</p>;
  const count = Math.min(asked.length, more ? asked.length : shown);
  return (
    <>
      <div class="row">
        {all.map(({ task, rows }) => (
          <button key={task} type="button" onClick={() => download(new TextEncoder().encode(rows.csv()), `${task}-answers.csv`)}>
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
              {all.map(({ task }) => (
                <th key={task} scope="col">
                  <NameText text={task} />
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
                {all.map((answers) => {
                  const { answer, number } = cellsOf(answers, row);
                  return (
                    <td key={answers.task}>
                      <NameText text={answer} /> <span class="quiet">{number}</span>
                      {answers.strange?.[row] === true ? <span class="mark">unlike its data</span> : null}
                    </td>
                  );
                })}
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
