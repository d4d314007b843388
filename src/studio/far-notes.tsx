// Values far from all that a column was trained on, in the words of the network, beside the answers that they make doubtful.

import { NameText } from './name-text.js';

export interface FarNotesProps {
  /** What each task says of its sample. */
  readonly tasks: readonly { readonly task: string; readonly notes: readonly string[] }[];
}

/** Each line once, with the tasks that say it where not all of them do. */
function linesOf(tasks: FarNotesProps['tasks']): string[] {
  const lines = new Set(tasks.flatMap(({ notes }) => notes));
  return [...lines].map((line) => {
    const own = tasks.filter(({ notes }) => notes.includes(line)).map(({ task }) => task);
    return own.length === tasks.length ? line : `${[...new Set(own)].join(', ')}: ${line}`;
  });
}

/** The place stands before its lines do, so that screen readers hear them come. */
export function FarNotes({ tasks }: FarNotesProps) {
  const lines = linesOf(tasks);
  return (
    <div role="status" class="far">
      {lines.length === 0 ? null : (
        <>
          <strong class="mark">Far from its training data</strong>
          <ul>
            {lines.map((line) => (
              <li key={line}>
                <NameText text={line} />
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
