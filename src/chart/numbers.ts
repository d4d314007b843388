// How numbers are written, in pictures, reports and on the command line.

/** `1 234 567` */
export function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** Four digits that matter, without a tail of zeros; large and small ones by their power of ten. */
export function short(value: number): string {
  const plain = String(Number(value.toPrecision(4)));
  if (plain.length <= 7) return plain;
  const [digits, power] = value.toExponential(2).split('e');
  return `${Number(digits)}e${Number(power)}`;
}
