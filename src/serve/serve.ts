// A server from its options to its orderly end: worker threads, models, protocols, metrics.
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import type { Server } from '@grpc/grpc-js';
import type { FastifyInstance } from 'fastify';
import { destination, type Logger, pino } from 'pino';
import { readFleet } from '../fleet/folder.js';
import { UsageError } from '../onnx/core/errors.js';
import { fileError } from '../onnx/files/file-error.js';
import { FleetModels } from './fleet-models.js';
import { Deliveries } from './grpc/deliveries.js';
import { type GrpcListening, type GrpcOptions, grpcServer, listenGrpc } from './grpc/server.js';
import { httpServer } from './http/server.js';
import { metricsServer } from './metrics.js';
import type { ServeOptions } from './options.js';
import { type ModelMaker, Repository } from './repository.js';
import { SampleReader } from './samples/read-samples.js';
import { readTasks } from './samples/tasks-file.js';
import { Service } from './service.js';
import { SessionModels } from './session-models.js';
import { Tracing } from './tracing.js';
import { Calls } from './workers/calls.js';
import { Pool } from './workers/pool.js';
import type { Role } from './workers/program.js';
import { Scheduler } from './workers/scheduler.js';

/** Milliseconds at the end in which requests that were sent before are still taken: closing at once would reset their connections. */
const stillComing = 500;

/** Where a server answers. */
export interface Serving {
  readonly http: string;
  /** Host and port. */
  readonly grpc?: string;
  readonly metrics?: string;
  readonly models: readonly string[];
  /** Models that could not be loaded, each with the reason. */
  readonly refused: readonly { readonly model: string; readonly reason: string }[];
  /** Says that it is not ready, takes requests for half a second more, answers those under way and ends. */
  close(): Promise<void>;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw fileError('read', path, cause);
  }
}

function secrets({ tls_cert, tls_key, api_key_file }: ServeOptions) {
  if ((tls_cert === undefined) !== (tls_key === undefined))
    throw new UsageError('found one of tls_cert and tls_key, expected both: a certificate and its key', { expected: 'both' });
  const apiKey = api_key_file === undefined ? undefined : textOf(api_key_file).trim();
  if (apiKey === '')
    throw new UsageError(`${api_key_file}: is empty, expected the key that clients send`, { path: api_key_file ?? '' });
  return {
    ...(tls_cert !== undefined && tls_key !== undefined && { tls: { cert: textOf(tls_cert), key: textOf(tls_key) } }),
    ...(apiKey !== undefined && { apiKey }),
  };
}

/** Why nothing listens there. */
function cannotListen(option: string, host: string, port: number, cause: unknown): UsageError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EADDRNOTAVAIL') {
    const expected = 'one of this machine, such as 127.0.0.1, ::1 or 0.0.0.0';
    return new UsageError(`host: found the address ${host}, expected ${expected}`, { path: 'host', expected, cause });
  }
  const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${code ?? cause})`;
  return new UsageError(`${option}: port ${port} of ${host} ${why}, choose another: 0 takes any that is free`, {
    path: option,
    cause,
  });
}

/** @throws UsageError where the port is taken or forbidden */
async function listenRpc(server: Server, { host, grpc_port }: ServeOptions, options: GrpcOptions): Promise<GrpcListening> {
  const port = grpc_port ?? 0;
  try {
    return await listenGrpc(server, host, port, options);
  } catch (cause) {
    throw cannotListen('grpc_port', host, port, cause);
  }
}

/** @throws UsageError where the port is taken or forbidden */
async function listen(app: FastifyInstance, host: string, port: number, option: string): Promise<string> {
  try {
    return await app.listen({ host, port, listenTextResolver: (address) => `${option}: listening on ${address}` });
  } catch (cause) {
    throw cannotListen(option, host, port, cause);
  }
}

/** What a model's change looks like in the log. */
const changed = (log: Logger) => (change: { readonly model: string; readonly what: string; readonly reason?: string }) =>
  change.what === 'refused' ? log.error(change, 'model refused') : log.info(change, `model ${change.what}`);

/** What reads samples, where a file says what they are. Throws in one line. */
async function samplesOf({ tasks, max_batch }: ServeOptions): Promise<SampleReader | undefined> {
  return tasks === undefined ? undefined : await SampleReader.open(readTasks(tasks), tasks, max_batch);
}

/** What makes the models: of places, each with its sessions, or of a fleet. */
async function makerOf(options: ServeOptions, reader: Calls, pool: Pool): Promise<ModelMaker> {
  const { fleet, workers, threads, providers } = options;
  const scheduler = new Scheduler(pool);
  const running = {
    maxBatch: options.max_batch,
    batchDelayMicroseconds: options.batch_delay_us,
    maxWaiting: options.max_queue,
    threads,
    providers,
  };
  if (fleet === undefined) return new SessionModels(reader, pool, scheduler, running);
  return FleetModels.open(reader, pool, scheduler, { ...running, folder: fleet, memory: options.fleet_memory, workers });
}

/**
 * Begins to serve.
 * @param program the file of the worker threads' program
 * @throws UsageError, DataError, WorkspaceError or RuntimeError in one line
 */
export async function serve(options: ServeOptions, program: URL): Promise<Serving> {
  const lines = destination({ fd: 2, sync: false });
  const log = pino({ level: options.log_level, base: { name: 'prognet' } }, lines);
  const { tls, apiKey } = secrets(options);
  const ended = (why: string) => log.error({ why }, 'a worker thread ended, another takes its place');
  const samples = await samplesOf(options);
  const tracing = await Tracing.open(log);
  const { fleet } = options;
  const reading: Role =
    fleet === undefined ? { role: 'read', places: options.models, forms: options.forms } : { role: 'list', fleet };
  if (fleet !== undefined) readFleet(fleet);
  const reader = new Calls({ program, data: reading, onEnd: ended });
  const pool = new Pool({ program, workers: options.workers, onEnd: ended });
  let maker: ModelMaker;
  try {
    maker = await makerOf(options, reader, pool);
  } catch (error) {
    await Promise.all([pool.close(), reader.close()]);
    throw error;
  }
  const repository = new Repository(maker, changed(log));
  const service = new Service(repository, { timeout: options.timeout_ms });
  const limits = {
    maxBytes: options.max_bytes,
    maxHeaderBytes: options.max_header_bytes,
    maxConnections: options.max_connections,
    receiveMs: options.receive_ms,
    sendMs: options.send_ms,
  };
  const both = {
    logger: log,
    ...(tls !== undefined && { tls }),
    ...(apiKey !== undefined && { apiKey }),
    ...(tracing !== undefined && { tracing }),
  };
  const app = httpServer(service, { limits, ...both, ...(samples !== undefined && { samples }) });
  const { maxBytes, maxHeaderBytes, maxConnections, sendMs } = limits;
  const rpc = { maxBytes, maxHeaderBytes, maxConnections, deliveries: new Deliveries(sendMs, log), ...both };
  const grpc = options.grpc_port === null ? undefined : grpcServer(service, rpc);
  const metrics = options.metrics_port === null ? undefined : metricsServer(service);
  let polling: NodeJS.Timeout | undefined;
  let calls: GrpcListening | undefined;
  const close = async () => {
    service.ready = false;
    clearTimeout(polling);
    const late = setTimeout(() => {
      app.server.closeAllConnections();
      grpc?.forceShutdown();
      rpc.deliveries.end();
    }, options.drain_ms);
    if (app.server.listening) await after(Math.min(stillComing, options.drain_ms));
    calls?.stop();
    await Promise.all([app.close(), grpc && new Promise((resolve) => grpc.tryShutdown(resolve))]);
    clearTimeout(late);
    await metrics?.close();
    await Promise.all([pool.close(), reader.close()]);
    lines.flushSync();
  };
  try {
    await repository.refresh();
    const index = repository.index();
    const models = index.filter(({ state }) => state === 'READY').map(({ name }) => name);
    const refused = index.filter(({ state }) => state !== 'READY').map(({ name, reason }) => ({ model: name, reason }));
    if (index.length === 0 && fleet === undefined) {
      const places = options.models.join(', ');
      throw new UsageError(`${places}: no model to serve, expected frozen tasks, .onnx or .prognet files`, { path: places });
    }
    const [first] = refused;
    // A column that answers may be copied into a fleet at any time.
    if (models.length === 0 && first !== undefined && fleet === undefined)
      throw new UsageError(`model "${first.model}" cannot be served: ${first.reason}`);
    const http = await listen(app, options.host, options.port, 'port');
    calls = grpc && (await listenRpc(grpc, options, rpc));
    const own = metrics && (await listen(metrics, options.host, options.metrics_port ?? 0, 'metrics_port'));
    const look = () => {
      polling = setTimeout(async () => {
        await repository
          .refresh()
          .catch((error) => log.warn({ why: error.message }, 'the models cannot be read, those loaded stay'));
        if (service.ready) look();
      }, options.poll_ms);
    };
    if (options.poll_ms > 0) look();
    return {
      http,
      ...(calls !== undefined && { grpc: `${isIPv6(options.host) ? `[${options.host}]` : options.host}:${calls.port}` }),
      ...(own !== undefined && { metrics: own }),
      models,
      refused,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
