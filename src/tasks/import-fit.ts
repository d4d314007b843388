// Whether the inputs of a model from elsewhere are those of the network: by name, type and shape, behind the steps that prepare them.
import type { Description, Input } from '../model/description/description.js';
import { inferenceScope } from '../model/nn/scope.js';
import { importedPrepare, lowerPrepare } from '../model/prepare/prepare.js';
import { columnsOf } from '../model/progressive/column.js';
import { samplesOf } from '../model/progressive/import-inputs.js';
import type { ImportedModel } from '../model/progressive/import-model.js';
import { addInputs } from '../model/progressive/inputs.js';
import { DescriptionError, InternalError, must, UsageError } from '../onnx/core/errors.js';
import { formatType, type Type, tensorType } from '../onnx/ir/types.js';
import { ops } from '../onnx/ops/ops.js';

/** The name of a model's input as a network may have it. */
export function inputName(name: string): string {
  const valid = name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 100);
  return /^[A-Za-z]/.test(valid) ? valid : 'input';
}

/** Inputs of the network. */
interface Fit {
  readonly names: string[];
  /** What sizes that stay open are called there, by what they are called without it. */
  readonly called: ReadonlyMap<string, string>;
}

/**
 * The network's inputs that the column reads, in the order of the model's own. A single one is the network's first where none has its name. Throws
 * UsageError for one that the network has not, DescriptionError for one of another type or shape.
 */
export function networkInputsOf(
  description: Description,
  { file: asked, inputs }: ImportedModel,
  renamed: ReadonlyMap<string, string>,
  file: string,
): Fit {
  const called = new Map<string, string>();
  const names = description.inputs.map(({ name }) => name);
  const strange = [...renamed.keys()].find((name) => !inputs.includes(name));
  if (strange !== undefined)
    throw new UsageError(`${file}: has no input "${strange}", it has ${inputs.join(', ')}`, { got: strange });
  const only = inputs.length === 1 ? names[0] : undefined;
  const found = samplesOf(asked, inputs).map(({ name, dtype, shape }, i) => {
    const own = [name, inputName(name)].find((each) => names.includes(each));
    const theirs = renamed.get(name) ?? own ?? only;
    const input = description.inputs.find((each) => each.name === theirs);
    if (input === undefined) {
      const right = `the network has ${names.join(', ')}: add it to the description's input, or say which one it is`;
      throw new UsageError(`${file}: its input "${name}" is none of the network, ${right}`, {
        got: name,
        remedy: { kind: 'give', option: 'input', exactly: `${name}=NAME` },
      });
    }
    const type = typeOf(description, input, i === 0);
    const given = type?.kind === 'tensor' ? (type.shape?.slice(1) ?? []) : [];
    // An open size of the file is one that is open in the network, whatever it is called there.
    const sizes = shape.map((size, axis) => {
      const there = given[axis];
      if (typeof size !== 'string' || typeof there !== 'string' || (called.get(size) ?? there) !== there) return size;
      called.set(size, there);
      return there;
    });
    const [wanted, got] = [formatType(tensorType(dtype, ['N', ...sizes])), formatType(type)];
    if (wanted !== got) {
      const closed = sizes.find((size, axis) => typeof size === 'string' && typeof given[axis] === 'number');
      const size = `${asked.open.get(String(closed))}=${given[sizes.indexOf(closed ?? '')]}`;
      throw new DescriptionError(`${file}: its input "${name}" is ${wanted}, the network gives it ${got} ("${input.name}")`, {
        expected: got,
        got: wanted,
        ...(closed !== undefined && { remedy: { kind: 'give', option: 'dim', exactly: size } as const }),
      });
    }
    return input.name;
  });
  if (new Set(found).size < found.length)
    throw new UsageError(`${file}: two of its inputs are the same input of the network, ${found.join(', ')}`, {
      got: found.join(),
    });
  return { names: found, called };
}

/** An input as an imported column gets it: behind its steps; where one of the first input's learns, behind none. */
function typeOf(description: Description, input: Input, first: boolean): Type | undefined {
  const { inputs, opset } = columnsOf(description);
  const steps = first ? importedPrepare(input.prepare) : input.prepare;
  const g = ops({ opset });
  const raw = must(addInputs(g, inputs)[input.name], input.name);
  if (steps === undefined || steps.length === 0) return raw.type;
  const scope = inferenceScope(g, ({ name }) => {
    throw new InternalError(`an imported column learns ${name}`);
  });
  const { features, tokens } = input;
  return lowerPrepare({ scope, prefix: 'prepare', path: 'input.prepare', features, tokens }, steps, raw).type;
}
