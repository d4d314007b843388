// Freezes columns t<first>, t<first+1>, ... without end. Arguments: root, first. Says each task once it is frozen.
import { writeSync } from 'node:fs';
import { freezeColumn } from '../../../src/workspace/column-store.js';
import { sampleDraft, sampleTensors } from '../sample.js';

const [root = '', first = '0'] = process.argv.slice(2);
writeSync(1, 'ready\n');
for (let i = Number(first); ; i++) {
  freezeColumn(root, sampleDraft(`t${i}`), sampleTensors(`t${i}`, i, 200_000));
  writeSync(1, `t${i}\n`);
}
