// Requests that a Triton and prognet serve are both asked, with what makes their answers differ where they do.
const numbers = (...data: number[]) => ({ name: 'customer', datatype: 'FP32', shape: [data.length / 4, 4], data });
const words = (...data: string[]) => ({ name: 'customer_categories', datatype: 'BYTES', shape: [data.length / 2, 2], data });
const x = numbers(34, 25, 6, 2);
const w = words('Zug', 'basic');

/** A body of the binary extension. */
function binary(document: object, ...bytes: Uint8Array[]): Pick<Asked, 'body' | 'headers'> {
  const text = Buffer.from(JSON.stringify(document));
  return { body: Buffer.concat([text, ...bytes]), headers: { 'inference-header-content-length': String(text.length) } };
}
const texts = (...all: string[]) =>
  Buffer.concat(all.flatMap((text) => [Buffer.from(Uint32Array.of(Buffer.byteLength(text)).buffer), Buffer.from(text)]));
const floats = (...all: number[]) => Buffer.from(Float32Array.from(all).buffer);
const f = floats(34, 25, 6, 2);
const t = texts('Zug', 'basic');
const sized = ({ data: _, ...input }: typeof x | typeof w, bytes: Uint8Array) => ({
  ...input,
  parameters: { binary_data_size: bytes.length },
});
const both = { inputs: [sized(x, f), sized(w, t)] };

/** Why answers differ, by the first cell of the row of docs/serve.md that says more. */
export const reasons = {
  health: 'health',
  about: 'what the server and a model say of themselves',
  perRow: 'an output of one number for each row',
  form: 'a body that has not the form of the protocol',
  unknownLoad: 'loading or unloading a model that is not there',
  range: 'an element that its type cannot hold, and an answer that JSON cannot',
  nested: 'lists that are not nested as the shape',
  rows: 'a request without rows',
  raw: 'a body without JSON',
  more: 'bytes for more inputs than a message of gRPC has',
  extensions: 'shared memory, classification, sequences, priorities, a configuration to load with',
  slash: 'a slash at the end of a path',
  words: 'more than one thing to say',
} as const;
export type Reason = keyof typeof reasons;

export interface Asked {
  readonly path: string;
  readonly method?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the answers differ: why, and the statuses of Triton and of prognet serve. */
  readonly differs?: readonly [why: Reason, triton: number, own: number];
}

const get = (path: string, differs?: Asked['differs']): Asked => ({ path, ...(differs && { differs }) });
const post = (path: string, body: unknown, differs?: Asked['differs']): Asked => ({
  path,
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  ...(differs && { differs }),
});
const left = '/v2/models/left';
const infer = (body: unknown, differs?: Asked['differs']) => post(`${left}/infer`, body, differs);
const bytes = (sent: Pick<Asked, 'body' | 'headers'>, differs?: Asked['differs']): Asked => ({ ...infer('', differs), ...sent });
const repository = (action: string) => `/v2/repository/models/${action}`;
const form = ['form', 500, 400] as const;
const same = ['words', 400, 400] as const;

/** In the order in which they are asked: some change what is loaded. */
export const requests: Readonly<Record<string, Asked>> = {
  live: get('/v2/health/live', ['health', 200, 200]),
  ready: get('/v2/health/ready', ['health', 200, 200]),
  'a model ready': get(`${left}/ready`, ['health', 200, 200]),
  'a version ready': get(`${left}/versions/1/ready`, ['health', 200, 200]),
  server: get('/v2', ['about', 200, 200]),
  'server with a slash': get('/v2/', ['slash', 404, 200]),
  metadata: get(left, ['about', 200, 200]),
  config: get(`${left}/config`, ['about', 200, 200]),
  'statistics before': get(`${left}/stats`),
  'statistics of all before': get('/v2/models/stats'),
  index: post('/v2/repository/index', ''),
  'index of an object': post('/v2/repository/index', {}),
  'index of the ready': post('/v2/repository/index', { ready: true }),
  'index, broken': post('/v2/repository/index', '{', form),
  'index, ready of another type': post('/v2/repository/index', { ready: 'x' }, form),
  'index by GET': get('/v2/repository/index'),

  'unknown: metadata': get('/v2/models/nope'),
  'unknown: ready': get('/v2/models/nope/ready'),
  'unknown: config': get('/v2/models/nope/config'),
  'unknown: statistics': get('/v2/models/nope/stats'),
  'unknown: infer': post('/v2/models/nope/infer', { inputs: [x, w] }),
  'version 9: metadata': get(`${left}/versions/9`),
  'version 9: ready': get(`${left}/versions/9/ready`),
  'version 9: config': get(`${left}/versions/9/config`),
  'version 9: statistics': get(`${left}/versions/9/stats`),
  'version 9: infer': post(`${left}/versions/9/infer`, { inputs: [x, w] }),
  'version 0: metadata': get(`${left}/versions/0`),
  'version 01: statistics': get(`${left}/versions/01/stats`),
  'version x: metadata': get(`${left}/versions/x`),
  'version x: ready': get(`${left}/versions/x/ready`),
  'version x: infer': post(`${left}/versions/x/infer`, { inputs: [x, w] }),

  infer: infer({ inputs: [x, w] }),
  'infer by a version': post(`${left}/versions/1/infer`, { inputs: [x, w] }),
  'infer with an id': infer({ id: 'seven', inputs: [x, w] }),
  'one output': infer({ inputs: [x, w], outputs: [{ name: 'left_probabilities' }] }),
  'outputs in another order': infer({ inputs: [x, w], outputs: [{ name: 'left_label' }, { name: 'left' }] }),
  'an output twice': infer({ inputs: [x, w], outputs: [{ name: 'left' }, { name: 'left' }] }),
  'no output': infer({ inputs: [x, w], outputs: [] }),
  'a member that is not of the protocol': infer({ inputs: [x, w], more: 1, parameters: { own: 'x' } }),
  'nested lists': infer({
    inputs: [
      { ...x, data: [x.data] },
      { ...w, data: [w.data] },
    ],
  }),
  'two rows': infer({ inputs: [numbers(1, 2, 3, 4, 5, 6, 7, 8), words('Zug', 'basic', 'Bern', 'pro')] }),
  '64 rows': infer({ inputs: [numbers(...Array(64 * 4).fill(30)), words(...Array(128).fill('Zug'))] }),
  'texts beyond ASCII, and empty': infer({ inputs: [x, words('Zürich', '')] }),
  'binary in, JSON out': bytes(binary(both, f, t)),
  'binary in and out': bytes(binary({ ...both, parameters: { binary_data_output: true } }, f, t)),
  'binary for one output': bytes(
    binary({ ...both, outputs: [{ name: 'left', parameters: { binary_data: true } }, { name: 'left_label' }] }, f, t),
  ),
  'binary for one input': bytes(binary({ inputs: [sized(x, f), w] }, f)),

  'another input': infer({ inputs: [{ ...x, name: 'bad' }, w] }),
  'an input too many': infer({ inputs: [x, w, { ...x, name: 'bad' }] }, same),
  'an input twice': infer({ inputs: [x, w, x] }),
  'an input missing': infer({ inputs: [x] }),
  'an input missing, with an id': infer({ id: '5', inputs: [x] }),
  'no input': infer({ inputs: [] }),
  'another type': infer({ inputs: [{ ...x, datatype: 'INT64' }, w] }),
  'a type that is none': infer({ inputs: [{ ...x, datatype: 'FOO' }, w] }, same),
  'another size': infer({ inputs: [{ ...x, shape: [1, 3], data: [1, 2, 3] }, w] }, same),
  'another number of sizes': infer({ inputs: [{ ...x, shape: [4] }, w] }, same),
  'rows that differ': infer({ inputs: [numbers(1, 2, 3, 4, 5, 6, 7, 8), w] }, same),
  'too many rows': infer({ inputs: [numbers(...Array(65 * 4).fill(1)), words(...Array(130).fill('Zug'))] }),
  'an unknown output': infer({ inputs: [x, w], outputs: [{ name: 'nope' }] }),
  'an unknown output, with an id': infer({ id: '5', inputs: [x, w], outputs: [{ name: 'nope' }] }),
  'no data': infer({ inputs: [{ ...x, data: undefined }, w] }, same),
  'data twice': bytes(binary({ inputs: [{ ...x, ...sized(x, f) }, sized(w, t)] }, f, t), same),
  'bytes missing': bytes(binary({ inputs: [sized(x, f), { ...sized(w, t), parameters: { binary_data_size: 999 } }] }, f, t)),
  'bytes too many': bytes(binary(both, f, t, Buffer.from('abc'))),
  'bytes of another length': bytes(binary({ inputs: [sized(x, f.subarray(4)), sized(w, t)] }, f.subarray(4), t)),
  'a text too few': bytes(binary({ inputs: [sized(x, f), sized(w, texts('Zug'))] }, f, texts('Zug'))),
  'a text too many': bytes(binary({ inputs: [sized(x, f), sized(w, texts('a', 'b', 'c'))] }, f, texts('a', 'b', 'c'))),
  'a text cut off': bytes(binary({ inputs: [sized(x, f), sized(w, t.subarray(0, 6))] }, f, t.subarray(0, 6)), same),
  'a length beyond the body': { ...infer({ inputs: [x, w] }), headers: { 'inference-header-content-length': '99999' } },
  'an encoding that is none': { ...infer({ inputs: [x, w] }, ['words', 501, 501]), headers: { 'content-encoding': 'br' } },

  'broken JSON': infer('{', form),
  'JSON of a list': infer('[1]', form),
  'no list of inputs': infer({}, form),
  'an id that is a number': infer({ id: 7, inputs: [x, w] }, form),
  'no name': infer({ inputs: [{ ...x, name: undefined }, w] }, form),
  'no type': infer({ inputs: [{ ...x, datatype: undefined }, w] }, form),
  'no shape': infer({ inputs: [{ ...x, shape: undefined }, w] }, form),
  'a shape that is none': infer({ inputs: [{ ...x, shape: [-1, 4] }, w] }, form),
  'elements too few': infer({ inputs: [{ ...x, data: [1, 2] }, w] }, form),
  'elements too many': infer({ inputs: [{ ...x, data: [1, 2, 3, 4, 5] }, w] }, form),
  'a text for a number': infer({ inputs: [{ ...x, data: ['a', 1, 2, 3] }, w] }, form),
  'a number for a text': infer({ inputs: [x, { ...w, data: [1, 2] }] }, form),
  'null for a number': infer({ inputs: [{ ...x, data: [null, 1, 2, 3] }, w] }, form),

  'beyond FP32': infer({ inputs: [{ ...x, data: [1e39, 1, 2, 3] }, w] }, ['range', 200, 400]),
  'an answer that is no number': bytes(binary(both, floats(Number.POSITIVE_INFINITY, 1, 2, 3), t), ['range', 200, 500]),
  ragged: infer(
    {
      inputs: [
        {
          ...x,
          shape: [2, 4],
          data: [
            [1, 2],
            [3, 4, 5, 6, 7, 8],
          ],
        },
        words('a', 'b', 'c', 'd'),
      ],
    },
    ['nested', 200, 400],
  ),
  'no row': infer(
    {
      inputs: [
        { ...x, shape: [0, 4], data: [] },
        { ...w, shape: [0, 2], data: [] },
      ],
    },
    ['rows', 400, 200],
  ),
  'an empty body': infer('', ['raw', 400, 400]),
  'a length that is none': {
    ...infer({ inputs: [x, w] }, ['raw', 400, 400]),
    headers: { 'inference-header-content-length': 'x' },
  },
  'no gzip': { ...infer('abc', ['raw', 400, 400]), headers: { 'content-encoding': 'gzip' } },
  'shared memory': infer(
    { inputs: [{ ...x, data: undefined, parameters: { shared_memory_region: 'r', shared_memory_byte_size: 16 } }, w] },
    ['extensions', 404, 501],
  ),
  classification: infer({ inputs: [x, w], outputs: [{ name: 'left', parameters: { classification: 1 } }] }, [
    'extensions',
    200,
    501,
  ]),
  'a time for the request': infer({ inputs: [x, w], parameters: { timeout: 60_000_000 } }),
  'an order of requests': infer({ inputs: [x, w], parameters: { priority: 1 } }, ['extensions', 200, 501]),
  'a sequence': infer({ inputs: [x, w], parameters: { sequence_id: 1, sequence_start: true } }, ['extensions', 200, 501]),

  'GET on infer': get(`${left}/infer`),
  'PUT on infer': { ...infer({ inputs: [x, w] }), method: 'PUT' },
  'POST on metadata': post(left, {}),
  'POST on health': post('/v2/health/live', {}),
  'a path that is none': get('/v2/nope'),
  root: get('/'),
  'a path of a model that is none': get(`${left}/nope`),

  'load, unknown': post(repository('nope/load'), {}, ['unknownLoad', 500, 400]),
  'unload, unknown': post(repository('nope/unload'), {}, ['unknownLoad', 200, 404]),
  'load by GET': get(repository('left/load')),
  'load, broken': post(repository('left/load'), '{', form),
  'load with a configuration': post(repository('left/load'), { parameters: { config: '{}' } }, ['extensions', 400, 501]),
  'load what is loaded': post(repository('left/load'), ''),
  unload: post(repository('left/unload'), ''),
  'unloaded: ready': get(`${left}/ready`),
  'unloaded: metadata': get(left),
  'unloaded: config': get(`${left}/config`),
  'unloaded: statistics': get(`${left}/stats`),
  'unloaded: infer': infer({ inputs: [x, w] }),
  'unloaded: index': post('/v2/repository/index', ''),
  'unloaded: index of the ready': post('/v2/repository/index', { ready: true }),
  'unloaded: the server ready': get('/v2/health/ready', ['health', 200, 200]),
  'unload again': post(repository('left/unload'), {}),
  'load again': post(repository('left/load'), {}),
  'loaded again: infer': infer({ inputs: [x, w] }),
  'loaded again: index': post('/v2/repository/index', ''),
};
