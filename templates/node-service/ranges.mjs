// What is asked beside what the task saw in training: numbers further from its range than the range is wide are told, and bytes where the model takes
// bytes divided by 255 are refused.

/** The least and the largest of every `width`-th value, those that are missing aside. */
function rangesOf(values, width) {
  const found = Array.from({ length: width }, () => [Infinity, -Infinity]);
  for (let i = 0; i < values.length; i++) {
    const range = found[i % width];
    if (values[i] < range[0]) range[0] = values[i];
    if (values[i] > range[1]) range[1] = values[i];
  }
  return found;
}

const spoken = ([low, high]) => (low === high ? `${low}` : `${low} to ${high}`);

function far([low, high], [least, most]) {
  const width = most - least || Math.abs(most) || 1;
  return low < least - width || high > most + width;
}

/** Lines about numbers that are far off. `names` are those of the numbers of a row; `wrong` makes what the client is told of bytes. */
export function outside(values, { range, unit, each } = {}, names, wrong) {
  const known = each === undefined ? [range] : each;
  if (known[0] === undefined) return [];
  return rangesOf(values, known.length).flatMap((found, place) => {
    if (!known[place] || found[0] > found[1] || !far(found, known[place])) return [];
    const now = `${names[place]} is ${spoken(found)}`;
    if (unit !== undefined) throw wrong(`${now}, and the model takes 0 to 1: expected bytes divided by 255, or a .npy of uint8`);
    return [`${now}, in training it was ${spoken(known[place])}`];
  });
}

/** Bytes are divided by 255 on the way to the model, which is wrong where it was trained on other numbers than 0 to 1. */
export function refuseBytes({ range, unit, each } = {}, wrong) {
  const known = (each ?? [range]).filter(Boolean);
  if (unit !== undefined || known.every(([low, high]) => low >= 0 && high <= 1)) return;
  throw wrong('found bytes (uint8), and the model was trained on other numbers than 0 to 1: expected float32');
}
