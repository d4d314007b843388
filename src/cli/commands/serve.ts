// prognet serve

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { parseDocument } from 'yaml';
import { UsageError } from '../../onnx/core/errors.js';
import { fileError } from '../../onnx/files/file-error.js';
import { parseProviders } from '../../onnx/runtime/requested-providers.js';
import { type ServeOptions, serveSchema } from '../../serve/options.js';
import { serve } from '../../serve/serve.js';
import { requireWorkspace } from '../../workspace/workspace.js';
import { type GlobalOptions, note, result } from '../report.js';

export type ServeFlags = GlobalOptions & Readonly<Record<string, string | boolean | undefined>>;

const texts = ['fleet', 'tasks', 'host', 'tlsCert', 'tlsKey', 'apiKeyFile', 'logLevel'];
const numbers = [
  'fleetMemory',
  'port',
  'grpcPort',
  'metricsPort',
  'workers',
  'threads',
  'maxBatch',
  'batchDelayUs',
  'maxQueue',
  'timeoutMs',
];
const bounds = ['maxBytes', 'maxHeaderBytes', 'maxConnections', 'receiveMs', 'sendMs', 'pollMs', 'drainMs'];
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const listed = (text: string): string[] => text.split(',').map((one) => one.trim());

/** The flags as members of a file would say them. */
function flagMembers(flags: ServeFlags): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const name of [...texts, ...numbers, ...bounds]) {
    const value = flags[name];
    if (typeof value !== 'string') continue;
    if (texts.includes(name)) members[snake(name)] = value;
    else if (/^(grpc|metrics)Port$/.test(name) && value === 'none') members[snake(name)] = null;
    else members[snake(name)] = /^\d{1,15}$/.test(value) ? Number(value) : value;
  }
  if (typeof flags.forms === 'string') members.forms = listed(flags.forms);
  if (typeof flags.provider === 'string')
    members.providers = parseProviders(flags.provider, '--provider').map(({ name }) => name);
  return members;
}

/** Throws UsageError for a file that is no object of YAML or JSON. */
function fileMembers(path: string): object {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw fileError('read', path, cause);
  }
  const document = parseDocument(text);
  const [wrong] = document.errors;
  if (wrong !== undefined) throw new UsageError(`${path}: ${wrong.message.split('\n')[0]}`, { path });
  const found: unknown = document.toJS({ maxAliasCount: 100 });
  if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found;
  throw new UsageError(`${path}: expected options such as "port: 8000", a line each`, { path });
}

function optionsOf(members: object, file: string | undefined, fromFlags: object): ServeOptions {
  const found = serveSchema.safeParse({ ...members, ...fromFlags });
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  const [name = ''] = issue?.path ?? [];
  const where = Object.hasOwn(fromFlags, name)
    ? `--${String(name).replaceAll('_', '-')}`
    : `${file}: ${issue?.path.join('.') || 'options'}`;
  throw new UsageError(`${where}: ${issue?.message}`, { path: where });
}

/** The columns of a fleet are the models. */
function refuseBeside({ models }: ServeOptions, members: object): void {
  const [first] = models;
  const beside = first ?? ('forms' in members ? 'forms' : undefined);
  if (beside === undefined) return;
  const expected = 'it alone: its columns are the models';
  throw new UsageError(`--fleet: found ${beside} beside it, expected ${expected}`, { path: '--fleet', expected, got: beside });
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** Resolves at SIGTERM or SIGINT. `npm start` passes on what its child got as well, so the same signal may come twice; Ctrl-C a second later ends the process at once. */
function untilAsked(): Promise<void> {
  return new Promise((resolve) => {
    let asked: number | undefined;
    process.on('SIGTERM', () => resolve());
    process.on('SIGINT', () => {
      if (asked !== undefined && performance.now() - asked > 1000) process.exit(130);
      asked ??= performance.now();
      resolve();
    });
  });
}

export async function serveCommand(places: readonly string[], flags: ServeFlags): Promise<void> {
  const config = typeof flags.config === 'string' ? flags.config : undefined;
  const members = config === undefined ? {} : fileMembers(config);
  const named = places.length > 0 ? { models: [...places] } : {};
  const given = optionsOf(members, config, { ...flagMembers(flags), ...named });
  const { fleet } = given;
  if (fleet !== undefined) refuseBeside(given, { ...members, ...flagMembers(flags) });
  const here = () => [requireWorkspace(flags.workspace ?? '.').root];
  const models = given.models.length > 0 || fleet !== undefined ? given.models : here();
  const options = { ...given, models };
  const { close, ...serving } = await serve(options, new URL('./serve-worker.js', import.meta.url));
  // Before anyone is told that it is there.
  const asked = untilAsked();
  const guarded = options.api_key_file !== undefined && options.tls_cert !== undefined;
  if (!isLoopback(options.host) && !guarded)
    note(flags, `${options.host} can be reached from elsewhere: --tls-cert, --tls-key and --api-key-file are for that`);
  for (const { model, reason } of serving.refused) note(flags, `${model} is not served: ${reason}`);
  result(flags, serving, serving.http);
  const what = fleet === undefined ? serving.models.join(', ') : `${serving.models.length} columns of ${fleet}`;
  note(flags, `prognet serve with ${what}. Ctrl-C stops it.`);
  await asked;
  await close();
  note(flags, 'stopped');
}
