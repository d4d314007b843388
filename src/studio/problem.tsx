// A message that must be seen: what went wrong, where it went wrong.

/** The place stands before its message does, so that screen readers hear it come. */
export function Problem({ text }: { readonly text: string | undefined }) {
  return (
    <div role="alert" class="problem-place">
      {text === undefined ? null : <p class="problem">{text}</p>}
    </div>
  );
}
