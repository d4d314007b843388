// A sample as numbers, for inputs that are neither images nor rows with names.
import { useId, useState } from 'preact/hooks';
import type { InputProps } from './ask-props.js';
import { DropArea, FileButton } from './drop-area.js';
import { type InputShape, isOpen, ofSize, partOf, samePart, sizesText } from './input-shape.js';
import { Problem } from './problem.js';
import { wrongNumber } from './read-files.js';

/** The input at the size that so many numbers make of it, undefined for none: where one size is open. */
function ofCount(input: InputShape, count: number): InputShape | undefined {
  const { sizes } = input;
  const each = sizes.reduce<number>((n, d) => n * (d ?? 1), 1);
  if (count === 0 || count % each !== 0) return undefined;
  return ofSize(
    input,
    sizes.map((d) => d ?? count / each),
  );
}

/** What the field takes, in words. */
function expectedText({ sizes, size, shape }: InputShape, kind: string, several: boolean): string {
  const apart = 'apart by blanks or commas';
  if (!sizes.includes(null)) return size === 1 && several ? `A ${kind}` : `${size} numbers, [${shape.join(', ')}], ${apart}`;
  return `Numbers, ${sizesText(sizes)}, ${apart}`;
}

export function NumbersField({ page, state, network, input }: InputProps) {
  const { sizes, size, dtype } = input;
  const open = isOpen(input);
  const several = network.sample.inputs.length > 1;
  const [wrong, setWrong] = useState<string | undefined>(undefined);
  const id = useId();
  const row = partOf(state.asked[state.at], input);
  // The text as it is typed, as long as the numbers that are asked about are those that it makes.
  const [typed, setTyped] = useState<{ readonly text: string; readonly part: Float32Array | undefined }>();
  const shown =
    typed !== undefined && samePart(typed.part, row)
      ? typed.text
      : Array.from(row ?? [], (v) => String(Number(v.toPrecision(9)))).join(', ');
  const kind = dtype === 'uint8' ? 'whole number from 0 to 255' : dtype === 'bool' ? 'truth, 0 or 1' : 'number';
  const read = (text: string) => {
    const texts = text.split(/[\s,;]+/).filter((t) => t !== '');
    const numbers = Float32Array.from(texts, Number);
    const bad = numbers.findIndex((v) => Number.isNaN(v) || wrongNumber(v, input) !== undefined);
    const sized = open ? ofCount(input, numbers.length) : input;
    const whole = open ? sized !== undefined : several ? numbers.length === size : numbers.length % size === 0;
    setWrong(
      bad >= 0
        ? `“${texts[bad]}” is no ${dtype === 'int32' || dtype === 'int64' ? 'whole number below 2^24' : kind}`
        : whole || (open ? numbers.length === 0 : numbers.length < size)
          ? undefined
          : open
            ? `${numbers.length} numbers, expected those of ${sizesText(sizes)}`
            : `${numbers.length} numbers, expected ${size}${several ? '' : ' for each sample'}`,
    );
    const count = bad < 0 && whole ? numbers.length / size : 0;
    if (several || open) {
      const part = bad < 0 && whole && (open || count === 1) ? numbers : undefined;
      setTyped({ text, part });
      return page.askPart(sized ?? input, part);
    }
    page.askAbout(Array.from({ length: count }, (_, i) => numbers.slice(i * size, (i + 1) * size)));
  };
  return (
    <DropArea class="numbers" onFiles={(files) => void page.askFiles(files, input)}>
      {sizes.filter((d) => d === null).length > 1 ? (
        // How many numbers there are does not say how long each side is.
        <p>{sizesText(sizes)}: the sizes are those of an array</p>
      ) : (
        <>
          <label for={id}>{expectedText(input, kind, several)}</label>
          <textarea
            id={id}
            rows={several && !open && size < 9 ? 1 : 5}
            {...((several || open) && { value: shown })}
            onInput={(event) => read(event.currentTarget.value)}
          />
        </>
      )}
      <Problem text={wrong} />
      <FileButton
        label={sizes.length === 1 ? 'Open .npy or .csv…' : 'Open .npy…'}
        accept={sizes.length === 1 ? '.npy,.csv,.tsv' : '.npy'}
        onFiles={(files) => void page.askFiles(files, input)}
      />
    </DropArea>
  );
}
