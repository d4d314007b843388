// A place that files fall into, and the button that chooses them for people who do not drag.
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';

export interface DropAreaProps {
  readonly onFiles: (files: readonly File[]) => void;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function DropArea({ onFiles, class: given = '', children }: DropAreaProps) {
  const [over, setOver] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dragging is for pointers; FileButton does the same for everybody
    <div
      class={`${given}${over ? ' over' : ''}`}
      onDragEnter={() => setOver(true)}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        const files = [...(event.dataTransfer?.files ?? [])];
        if (files.length > 0) onFiles(files);
      }}
    >
      {children}
    </div>
  );
}

export interface FileButtonProps {
  readonly label: string;
  /** Where the label alone does not say enough. */
  readonly spoken?: string;
  readonly accept?: string;
  readonly multiple?: boolean;
  readonly disabled?: boolean;
  readonly onFiles: (files: readonly File[]) => void;
}

/** A file input that looks like the page's buttons. */
export function FileButton({ label, spoken, accept, multiple = false, disabled = false, onFiles }: FileButtonProps) {
  const id = useId();
  return (
    <span class="file-button">
      <input
        id={id}
        type="file"
        accept={accept}
        multiple={multiple}
        disabled={disabled}
        aria-label={spoken ?? label}
        onChange={(event) => {
          const { currentTarget } = event;
          const files = [...(currentTarget.files ?? [])];
          // The same file again is a change too.
          currentTarget.value = '';
          if (files.length > 0) onFiles(files);
        }}
      />
      <label for={id} class="button" aria-hidden="true">
        {label}
      </label>
    </span>
  );
}
