// A sample as numbers, for inputs that are neither images nor rows with names.
import { useId, useState } from 'preact/hooks';
import type { InputProps } from './ask-props.js';
import { DropArea, FileButton } from './drop-area.js';
import { partOf, samePart } from './input-shape.js';
import { Problem } from './problem.js';
import { wrongNumber } from './read-files.js';

export function NumbersField({ page, state, network, input }: InputProps) {
  const { shape, size, dtype } = input;
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
    const whole = several ? numbers.length === size : numbers.length % size === 0;
    setWrong(
      bad >= 0
        ? `“${texts[bad]}” is no ${dtype === 'int32' || dtype === 'int64' ? 'whole number below 2^24' : kind}`
        : whole || numbers.length < size
          ? undefined
          : `${numbers.length} numbers, expected ${size}${several ? '' : ' for each sample'}`,
    );
    const count = bad < 0 && whole ? numbers.length / size : 0;
    if (several) {
      const part = count === 1 ? numbers : undefined;
      setTyped({ text, part });
      return page.askPart(input, part);
    }
    page.askAbout(Array.from({ length: count }, (_, i) => numbers.slice(i * size, (i + 1) * size)));
  };
  return (
    <DropArea class="numbers" onFiles={(files) => void page.askFiles(files, input)}>
      <label for={id}>
        {size === 1 && several ? `A ${kind}` : `${size} numbers, [${shape.join(', ')}], apart by blanks or commas`}
      </label>
      <textarea
        id={id}
        rows={several && size < 9 ? 1 : 5}
        {...(several && { value: shown })}
        onInput={(event) => read(event.currentTarget.value)}
      />
      <Problem text={wrong} />
      <FileButton
        label={shape.length === 1 ? 'Open .npy or .csv…' : 'Open .npy…'}
        accept={shape.length === 1 ? '.npy,.csv,.tsv' : '.npy'}
        onFiles={(files) => void page.askFiles(files, input)}
      />
    </DropArea>
  );
}
