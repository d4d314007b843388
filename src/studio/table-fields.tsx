// A row of a table typed into fields that have the features' names, categories as a choice; or a file of rows.
import { useId, useState } from 'preact/hooks';
import type { InputInfo } from '../web.js';
import type { InputProps } from './ask-props.js';
import { DropArea, FileButton } from './drop-area.js';
import { partOf, samePart } from './input-shape.js';
import { NameText } from './name-text.js';
import { Problem } from './problem.js';

type Feature = NonNullable<InputInfo['features']>[number];

/** What a field shows of a number: nothing for what is missing, of a category its text's index. */
const textOf = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? '' : String(Number(value.toPrecision(7)));

/** What a field holds; undefined for a text that is no number. */
function numberOf(text: string, decimal: '.' | ','): number | undefined {
  const plain = text.trim().replace(decimal, '.');
  if (plain === '') return Number.NaN;
  const value = Number(plain);
  return Number.isFinite(value) ? value : undefined;
}

/** A longer text would be cut in a choice that shares its row. */
const longText = 12;

interface FieldProps {
  readonly feature: Feature;
  readonly text: string;
  readonly wrong: boolean;
  readonly onText: (text: string) => void;
}

function Field({ feature: { name, categories }, text, wrong, onText }: FieldProps) {
  const id = useId();
  return (
    <div class={categories?.some((text) => text.length > longText) ? 'field wide' : 'field'}>
      <label for={id}>
        <NameText text={name} />
      </label>
      {categories === undefined ? (
        <input
          id={id}
          inputMode="decimal"
          autocomplete="off"
          value={text}
          aria-invalid={wrong}
          onInput={(e) => onText(e.currentTarget.value)}
        />
      ) : (
        <select id={id} value={text} onChange={(e) => onText(e.currentTarget.value)}>
          <option value="" disabled>
            choose
          </option>
          {categories.map((category, i) => (
            <option key={category} value={String(i)}>
              {category === '' ? '(empty)' : category}
            </option>
          ))}
          <option value="-1">another</option>
        </select>
      )}
    </div>
  );
}

export function TableFields({ page, state, network, input }: InputProps) {
  const { features = [], fills } = input;
  const row = partOf(state.asked[state.at], input);
  // The texts as they are typed, as long as the row that is asked about is the one that they make.
  const [typed, setTyped] = useState<{ readonly texts: readonly string[]; readonly row: Float32Array | undefined }>();
  const texts = typed !== undefined && samePart(typed.row, row) ? typed.texts : features.map((_, i) => textOf(row?.[i]));
  const numbers = texts.map((text) => numberOf(text, network.decimal));
  const wrong = features.filter((_, i) => numbers[i] === undefined).map(({ name }) => name);
  const change = (place: number, text: string) => {
    const next = texts.with(place, text);
    const values = next.map((each) => numberOf(each, network.decimal));
    const open = features.some(({ categories }, i) => next[i]?.trim() === '' && (categories !== undefined || !fills));
    const whole = values.every((v) => v !== undefined) && !open && next.some((each) => each.trim() !== '');
    const made = whole ? Float32Array.from(values, (v) => v ?? Number.NaN) : undefined;
    setTyped({ texts: next, row: made });
    page.askPart(input, made);
  };
  const lacking = features.filter(({ categories }, i) => texts[i]?.trim() === '' && (categories !== undefined || !fills)).length;
  return (
    <DropArea class="numbers" onFiles={(files) => void page.askFiles(files, input)}>
      <form class="fields" onSubmit={(event) => event.preventDefault()}>
        {features.map((feature, i) => (
          <Field
            key={feature.name}
            feature={feature}
            text={texts[i] ?? ''}
            wrong={numbers[i] === undefined}
            onText={(text) => change(i, text)}
          />
        ))}
      </form>
      <Problem text={wrong.length === 0 ? undefined : `${wrong.join(', ')}: expected a number`} />
      <p class="quiet small">
        {lacking > 0 && texts.some((text) => text.trim() !== '')
          ? `${lacking} of ${features.length} still to be filled in. `
          : ''}
        {fills ? 'A number may stay empty: the model fills it.' : ''}
      </p>
      <div class="row">
        <FileButton
          label="Open a CSV file…"
          spoken="Open a CSV file of rows to ask about"
          accept=".csv,.tsv,.txt,.npy"
          onFiles={(files) => void page.askFiles(files, input)}
        />
        <button
          type="button"
          disabled={row === undefined && texts.every((text) => text === '')}
          onClick={() => {
            setTyped(undefined);
            page.askPart(input, undefined);
          }}
        >
          Clear
        </button>
      </div>
    </DropArea>
  );
}
