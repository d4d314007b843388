// `prognet init --template text`: two tasks over sentences, with their data and tokenizer, which lie in templates/text. They were made by
// scripts/python/text_template.py.
import { readFileSync } from 'node:fs';

const folder = new URL('../../templates/text/', import.meta.url);
const names = ['tokenizer.json', 'notes/train.csv', 'notes/test.csv'];

/** What lies beside the description, by path. */
export const textFiles = (): ReadonlyMap<string, Uint8Array> =>
  new Map(names.map((name) => [name, readFileSync(new URL(name, folder))]));

export const textTemplate = `# Sentences: which of two topics they are about, then whether they ask. A tokenizer makes tokens of them (npm install @huggingface/tokenizers).
# yaml-language-server: $schema=./prognet.schema.json
prognet: 1
name: notes
input: { name: text, tokenizer: tokenizer.json, length: 24 }
columns:
  - task: topic
    data: notes
    blocks:
      - [{ embedding: { size: 16, pool: mean } }]
      - [{ dense: 16 }, relu]
    head: { classify: { classes: 2, names: [cooking, sailing] } }
    train: { epochs: 10, batch: 16, lr: 0.01 }
  - task: asks
    data: { source: notes, label: asks }
    blocks:
      - [{ embedding: { size: 8, pool: max } }]
      - [{ dense: 8 }, relu]
    head: { classify: { classes: 2, names: ['no', 'yes'] } }
    laterals: { kind: adapter, rank: 8 }
    train: { epochs: 10, batch: 16, lr: 0.01 }
`;
