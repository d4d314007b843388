// The kept hashes, test/same-bits.json: SHA-256 of every file that is the same on each machine.
//     node scripts/bits/kept.mjs DIST           prints what differs from them, one line each; exit 1 where anything does
//     node scripts/bits/kept.mjs DIST --keep    writes them anew
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { untrained } from './untrained.mjs';

const file = new URL('../../test/same-bits.json', import.meta.url);
const [dist, keep] = process.argv.slice(2);
const now = {};
for await (const [name, bytes] of untrained(dist)) now[name] = createHash('sha256').update(bytes).digest('hex');
if (keep === '--keep') {
  writeFileSync(file, `${JSON.stringify(now, undefined, 2)}\n`);
  console.log(`test/same-bits.json written: ${Object.keys(now).length} hashes`);
} else {
  const kept = JSON.parse(readFileSync(file, 'utf8'));
  const wrong = [...new Set([...Object.keys(kept), ...Object.keys(now)])].filter((name) => kept[name] !== now[name]);
  for (const name of wrong)
    console.log(
      kept[name] === undefined ? `${name}: not kept` : now[name] === undefined ? `${name}: gone` : `${name}: other bits`,
    );
  if (wrong.length > 0) process.exitCode = 1;
  else console.log(`${Object.keys(kept).length} files have the bits that were kept`);
}
