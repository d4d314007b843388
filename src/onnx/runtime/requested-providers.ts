// What a user writes about providers: `cuda!,webgpu,cpu`, and options such as `cuda.deviceId=1` or `session.set_denormal_as_zero=1`.
import { UsageError } from '../core/errors.js';
import type { OptionValue, RequestedProvider, RuntimeSettings, SessionOptions } from './session.js';
import { type OptionKind, providerNames, traitsOf } from './traits.js';

function known(name: string, where: string): void {
  if (providerNames.includes(name)) return;
  const expected = providerNames.join(', ');
  throw new UsageError(`${where}: unknown provider "${name}", expected one of ${expected}`, { path: where, expected, got: name });
}

/** `cuda!,webgpu,cpu` in order. Throws UsageError. */
export function parseProviders(text: string, where = 'provider'): RequestedProvider[] {
  const requested = text.split(',').map((part) => {
    const written = part.trim();
    const insist = written.endsWith('!');
    return { name: insist ? written.slice(0, -1) : written, insist };
  });
  for (const { name } of requested) known(name, where);
  return requested;
}

function optionValue(kind: OptionKind, text: string, where: string): OptionValue {
  const wrong = (expected: string) =>
    new UsageError(`${where}: found "${text}", expected ${expected}`, { path: where, expected });
  if (kind === 'text') return text;
  if (kind === 'list') return text.split('|');
  if (kind === 'boolean') {
    if (text !== 'true' && text !== 'false') throw wrong('true or false');
    return text === 'true';
  }
  if (!/^\d{1,9}$/.test(text)) throw wrong('an integer of 0 and more');
  return Number(text);
}

/** Config entries of a session begin so (onnxruntime_session_options_config_keys.h). */
const configPrefix = /^(session|optimization|ep|mlas|memory)\./;

/** `cuda.deviceId=1`, `session.set_denormal_as_zero=1`, one each. Throws UsageError. */
export function parseOptions(items: readonly string[], where = 'providerOptions'): RuntimeSettings {
  const providerOptions: Record<string, Record<string, OptionValue>> = {};
  const config: Record<string, string> = {};
  for (const item of items) {
    const [, key, text] = /^([^=]+)=(.*)$/.exec(item) ?? [];
    if (key === undefined || text === undefined) {
      throw new UsageError(`${where}: found "${item}", expected <provider>.<option>=<value> or session.<key>=<value>`, {
        path: where,
        got: item,
      });
    }
    if (configPrefix.test(key)) {
      config[key] = text;
      continue;
    }
    const [provider = '', option = ''] = key.split('.');
    known(provider, where);
    const kinds = traitsOf(provider).options;
    const kind = Object.hasOwn(kinds, option) ? kinds[option] : undefined;
    if (kind === undefined) {
      const expected = Object.keys(kinds).join(', ') || 'none';
      throw new UsageError(
        `${where}: ONNX Runtime's JavaScript packages hand no option "${option}" to ${provider}, they know: ${expected}`,
        { path: where, expected, got: option },
      );
    }
    providerOptions[provider] = { ...providerOptions[provider], [option]: optionValue(kind, text, `${where} ${key}`) };
  }
  return { providerOptions, config };
}

/** The option of a provider that names nodes for the CPU to run; none where it takes no such list. */
export function hostNodesOption(provider: string, { hostNodes = [] }: SessionOptions): Readonly<Record<string, OptionValue>> {
  const option = traitsOf(provider).hostNodes;
  return option !== undefined && hostNodes.length > 0 ? { [option]: hostNodes } : {};
}

/** Config entries as onnxruntime-common wants them: `session.a.b` becomes `{ session: { a: { b } } }`. */
export function nestConfig(config: Readonly<Record<string, string>>): Record<string, unknown> {
  interface Tree {
    [key: string]: Tree | string;
  }
  const root: Tree = {};
  for (const [key, value] of Object.entries(config)) {
    const path = key.split('.');
    const last = path.pop() ?? key;
    let at = root;
    for (const part of path) {
      const next = at[part];
      const tree: Tree = typeof next === 'object' ? next : {};
      at[part] = tree;
      at = tree;
    }
    at[last] = value;
  }
  return root;
}
