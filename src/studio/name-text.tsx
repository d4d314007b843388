// A name that a file or a person gave, which may be long and without a blank: it breaks behind the signs that part it rather than in mid-word.

export function NameText({ text }: { readonly text: string }) {
  const parts = text.split(/(?<=[_\-./,;])(?=[^_\-./,;])/);
  return (
    <>
      {parts.map((part, i) => (
        <span key={`${i} ${part}`}>
          {i === 0 ? null : <wbr />}
          {part}
        </span>
      ))}
    </>
  );
}
