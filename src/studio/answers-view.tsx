// Every task's answer to what is asked: the likeliest class, probabilities as bars with their numbers, time and provider.
import { FarNotes } from './far-notes.js';
import { lackingOf } from './input-shape.js';
import { NameText } from './name-text.js';
import type { Answer, AnswerCell, State } from './state.js';

const shown = 10;
const shownSteps = 100;
const percent = (p: number): string => (p > 0.9995 && p < 1 ? '>99.9 %' : `${(p * 100).toFixed(1)} %`);

/** What each step of a sequence is, one after another. */
function Steps({ steps }: { readonly steps: readonly AnswerCell[] }) {
  return (
    <ol class="steps">
      {steps.map(({ answer, number }, i) => (
        <li key={i}>
          <NameText text={answer} /> <span class="quiet">{number}</span>
        </li>
      ))}
    </ol>
  );
}

function AnswerView({ answer }: { readonly answer: Answer }) {
  const { task, head, entries, steps, likely, best, strange, toldBy, milliseconds, provider } = answer;
  const called = head === undefined ? task : `${task} ${head}`;
  const ordered = entries.length <= shown ? entries : [...entries].sort((a, b) => b.value - a.value).slice(0, shown);
  const winner = best === undefined ? undefined : entries[best];
  return (
    <article class="answer" aria-label={`Answer of ${called}`}>
      <h3>
        <span class="task">
          <NameText text={called} />
        </span>
        {winner === undefined ? null : (
          <strong class="winner">
            <NameText text={winner.name} />
          </strong>
        )}
      </h3>
      {steps === undefined ? null : <Steps steps={steps.slice(0, shownSteps)} />}
      <ul class="bars">
        {ordered.map((entry) => (
          <li key={entry.name} class={entry === winner ? 'best' : ''}>
            <span class="name">
              <NameText text={entry.name} />
            </span>
            {likely && (
              <span class="bar" aria-hidden="true">
                <span style={{ width: `${Math.max(0.5, entry.value * 100)}%` }} />
              </span>
            )}
            <span class="number">{likely ? percent(entry.value) : entry.value.toPrecision(5)}</span>
          </li>
        ))}
      </ul>
      {strange === true ? (
        <p class="strange">
          <strong class="mark">Unlike its own data</strong> Of {toldBy} samples of its own kind 95 % are nearer to what it
          learned: the answer may mean nothing.
        </p>
      ) : null}
      <p class="quiet small time">
        {milliseconds.toFixed(1)} ms on {provider}
        {entries.length > shown ? `, the likeliest ${shown} of ${entries.length}` : ''}
        {steps !== undefined && steps.length > shownSteps ? `, the first ${shownSteps} of ${steps.length} steps` : ''}
      </p>
    </article>
  );
}

export function AnswersView({ state }: { readonly state: State }) {
  const { answers, network, teaching } = state;
  const trained = network?.info.tasks.filter((t) => t.trained).length ?? 0;
  const text =
    trained === 0
      ? 'No task is learned yet: teach the first one below.'
      : teaching
        ? 'Answers come back when the lesson is over.'
        : 'Every task answers here, each in its own column.';
  const row = state.asked[state.at];
  const waiting =
    row === undefined || network === undefined
      ? []
      : network.info.tasks.flatMap(({ task, trained, inputs }) => {
          const names = trained ? lackingOf(row, network.sample, inputs) : [];
          return names.length === 0 ? [] : [`${task} waits for ${names.join(', ')}.`];
        });
  return (
    <>
      <FarNotes tasks={answers} />
      {answers.length === 0 ? (
        <p class="quiet">{text}</p>
      ) : (
        <div class="answers">
          {answers.map((answer) => (
            <AnswerView key={`${answer.task}/${answer.head}`} answer={answer} />
          ))}
        </div>
      )}
      {waiting.length === 0 ? null : <p class="quiet small">{waiting.join(' ')}</p>}
    </>
  );
}
