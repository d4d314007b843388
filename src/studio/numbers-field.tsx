// A sample as numbers, for inputs that are neither images nor rows with names.
import { useId, useState } from 'preact/hooks';
import type { AskProps } from './ask-props.js';
import { DropArea, FileButton } from './drop-area.js';
import { Problem } from './problem.js';

export function NumbersField({ page, network }: AskProps) {
  const { shape, size, dtype } = network.input;
  const [wrong, setWrong] = useState<string | undefined>(undefined);
  const id = useId();
  const byte = (v: number) => Number.isInteger(v) && v >= 0 && v <= 255;
  const read = (text: string) => {
    const texts = text.split(/[\s,;]+/).filter((t) => t !== '');
    const numbers = Float32Array.from(texts, Number);
    const bad = numbers.findIndex((v) => Number.isNaN(v) || (dtype === 'uint8' && !byte(v)));
    const whole = numbers.length % size === 0;
    setWrong(
      bad >= 0
        ? `“${texts[bad]}” is no ${dtype === 'uint8' ? 'whole number from 0 to 255' : 'number'}`
        : whole || numbers.length < size
          ? undefined
          : `${numbers.length} numbers, expected ${size} for each sample`,
    );
    const count = bad < 0 && whole ? numbers.length / size : 0;
    page.askAbout(Array.from({ length: count }, (_, i) => numbers.slice(i * size, (i + 1) * size)));
  };
  return (
    <DropArea class="numbers" onFiles={(files) => void page.askFiles(files)}>
      <label for={id}>
        {size} numbers, [{shape.join(', ')}], apart by blanks or commas
      </label>
      <textarea id={id} rows={5} onInput={(event) => read(event.currentTarget.value)} />
      <Problem text={wrong} />
      <FileButton
        label={shape.length === 1 ? 'Open .npy or .csv…' : 'Open .npy…'}
        accept={shape.length === 1 ? '.npy,.csv,.tsv' : '.npy'}
        onFiles={(files) => void page.askFiles(files)}
      />
    </DropArea>
  );
}
