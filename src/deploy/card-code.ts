// What a model's card says of running it: one sample in Python, in Node and in a browser, with names, dtypes and shapes of the model. A test runs it.
import { type InputFacts, type ModelFacts, sampleInputs } from '../model/progressive/model-facts.js';

/** Paragraphs of Markdown. `data` are the files that hold weights of the model, as it names them. */
export function codeOf(facts: ModelFacts, file: string, data: readonly string[]): string[] {
  const texts = sampleInputs(facts).some(({ dtype }) => dtype === 'string');
  return [
    'One sample; the first axis counts them. Python, with `pip install onnxruntime`:',
    block('python', python(facts, file)),
    'Node, with `npm install onnxruntime-node`, in a file that ends in .mjs:',
    block('js', javascript(facts, file, 'onnxruntime-node')),
    ...(texts
      ? ['A browser: onnxruntime-web takes no texts; `prognet export --category-indices` writes a model without them.']
      : [
          `A browser, with \`npm install onnxruntime-web\`; the ${data.length === 0 ? 'model lies' : 'model and its data lie'} beside the page:`,
          block('js', javascript(facts, address(file), 'onnxruntime-web', besideIt(data))),
          'A bundler such as Vite finds the package. Without one, an import map leads to it: `<script type="importmap">{ "imports": { "onnxruntime-web": "/node_modules/onnxruntime-web/dist/ort.bundle.min.mjs" } }</script>`, before the module.',
        ]),
  ];
}

/** A file beside a page, whatever stands in its name. */
const address = (file: string): string => `./${file.split('/').map(encodeURIComponent).join('/')}`;

/** Options of a session in a browser, which finds no files by itself. */
function besideIt(data: readonly string[]): string {
  const files = data.map((path) => `{ path: ${literal(path)}, data: ${literal(address(path))} }`);
  return files.length === 0 ? '' : `, { externalData: [${files.join(', ')}] }`;
}

const block = (language: string, lines: readonly string[]): string => `\`\`\`${language}\n${lines.join('\n')}\n\`\`\``;

/** A text of a stranger's file as a literal of both languages, which ends no block of code. */
const literal = (text: string): string =>
  JSON.stringify(text)
    .replace(/`/g, '\\u0060')
    .replace(/[\u2028\u2029\u007f]/g, ' ');

const numpyTypes: Partial<Record<string, string>> = { string: 'object' };

/** Of one sample. */
const dimsOf = ({ shape }: InputFacts): number[] => shape.map((d) => (typeof d === 'number' ? d : 1));

/** The texts of one sample of categories. */
const textsOf = ({ features = [] }: InputFacts): string =>
  features.map(({ categories = [] }) => literal(categories[0] ?? '')).join(', ');

function python(facts: ModelFacts, file: string): string[] {
  const feeds = sampleInputs(facts).map((input) => {
    const { name, dtype } = input;
    const value =
      dtype === 'string'
        ? `numpy.array([[${textsOf(input)}]], dtype=object)`
        : `numpy.zeros([${dimsOf(input).join(', ')}], dtype=numpy.${numpyTypes[dtype] ?? dtype})`;
    return `    ${literal(name)}: ${value},`;
  });
  return [
    'import numpy, onnxruntime',
    `session = onnxruntime.InferenceSession(${literal(file)})`,
    'outputs = session.run(None, {',
    ...feeds,
    ...(facts.form === 'routed' ? [`    "task_id": numpy.array([0]),  # ${literal(facts.tasks[0]?.task ?? '')}`] : []),
    '})',
    'for output, value in zip(session.get_outputs(), outputs):',
    '    print(output.name, value)',
  ];
}

/** What a tensor's elements are made of; float16 as its bits. */
const arrays: Partial<Record<string, string>> = {
  float32: 'Float32Array',
  float64: 'Float64Array',
  uint8: 'Uint8Array',
  int64: 'BigInt64Array',
  int32: 'Int32Array',
  float16: 'Uint16Array',
};

function javascript(facts: ModelFacts, file: string, from: string, options = ''): string[] {
  const feeds = sampleInputs(facts).map((input) => {
    const { name, dtype } = input;
    const dims = dimsOf(input);
    const size = dims.reduce((n, d) => n * d, 1);
    const data = dtype === 'string' ? `[${textsOf(input)}]` : `new ${arrays[dtype] ?? 'Float32Array'}(${size})`;
    return `  ${literal(name)}: new ort.Tensor(${literal(dtype)}, ${data}, [${dims.join(', ')}]),`;
  });
  return [
    `import * as ort from '${from}';`,
    `const session = await ort.InferenceSession.create(${literal(file)}${options});`,
    'const outputs = await session.run({',
    ...feeds,
    ...(facts.form === 'routed'
      ? [`  task_id: new ort.Tensor('int64', [0n], [1]), // ${literal(facts.tasks[0]?.task ?? '')}`]
      : []),
    '});',
    'for (const [name, { dims, data }] of Object.entries(outputs)) console.log(name, dims, data);',
  ];
}
