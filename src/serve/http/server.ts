// The Open Inference Protocol over HTTP, with the extensions of Triton that its clients use.
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import { modelConfig, modelMetadata } from '../protocol/model-config.js';
import { statisticsDocument } from '../protocol/statistics-document.js';
import type { SampleReader } from '../samples/read-samples.js';
import { predicted, told } from '../samples/route.js';
import { ServeError } from '../served-model.js';
import type { Caller, Service } from '../service.js';
import type { Tracing } from '../tracing.js';
import { keyCheck, keyOf, refuseHostless, refusePages } from './access.js';
import { headerLength, readRequest, writeAnswer } from './infer-body.js';
import { refuseConnection, refuseExpectation } from './refused-connection.js';
import { endUnread, partsOf } from './unread-answer.js';

/** What clients decide, bounded. */
export interface HttpLimits {
  /** Bytes of a body, unpacked. */
  readonly maxBytes: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
  /** Milliseconds in which a request must have come. */
  readonly receiveMs: number;
  /** Milliseconds without progress after which the connection of a client that does not read its answer is closed. */
  readonly sendMs: number;
}

export interface HttpOptions {
  readonly limits: HttpLimits;
  readonly logger: Logger;
  /** Certificate and key, as PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Asked of everyone but health checks. */
  readonly apiKey?: string;
  /** What reads samples, where tasks are asked by them. */
  readonly samples?: SampleReader;
  readonly tracing?: Tracing;
}

/** Who waits for a reply. */
type CallerOf = (reply: FastifyReply) => Caller;

interface Named {
  readonly Params: { readonly model: string; readonly version?: string };
}

const unpackers = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;

/** The body as it was before it was packed. Throws ServeError. */
async function unpacked(body: Buffer, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
  const coding = encoding?.toLowerCase();
  if (coding === undefined || coding === 'identity') return body;
  const unpack = coding === 'gzip' || coding === 'deflate' ? unpackers[coding] : undefined;
  if (unpack === undefined) throw new ServeError('unsupported', `content-encoding '${encoding}', expected gzip, deflate or none`);
  try {
    return await unpack(body, { maxOutputLength: maxBytes });
  } catch (error) {
    const large = error instanceof RangeError;
    throw new ServeError(
      large ? 'too-large' : 'invalid',
      large ? `the body unpacked has over ${maxBytes} bytes` : `the body is no ${encoding}`,
    );
  }
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

/** The members of a JSON body, none of an empty one. Throws ServeError. */
function membersOf(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const text = bodyOf(request).toString();
  if (text.trim() === '') return {};
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found as Record<string, unknown>;
  } catch (error) {
    throw new ServeError('invalid', `failed to parse the request JSON buffer: ${error instanceof Error ? error.message : error}`);
  }
  throw new ServeError('invalid', 'the body is no JSON object');
}

function answerError(error: unknown, reply: FastifyReply, log: FastifyBaseLogger): FastifyReply {
  if (error instanceof ServeError) {
    if (error.retryAfter !== undefined) reply.header('retry-after', error.retryAfter);
    return reply.code(error.status).send({ error: error.message });
  }
  const { statusCode, message } = error as { statusCode?: number; message: string };
  if (statusCode !== undefined && statusCode < 500) return reply.code(statusCode).send({ error: message });
  log.error({ err: error }, 'internal error');
  return reply.code(500).send({ error: 'internal: the server failed, its log says more' });
}

function addModels(app: FastifyInstance, service: Service, maxBytes: number, callerOf: CallerOf): void {
  const of = ({ params }: FastifyRequest<Named>) => service.model(params.model, params.version);
  const statistics = (name: string, version?: string) => ({
    model_stats: service.counted(name, version).map((model) => statisticsDocument(service.statistics.of(model))),
  });
  for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version(^\\d+$)']) {
    app.get<Named>(path, async (request) => modelMetadata(of(request)));
    app.get<Named>(`${path}/config`, async (request) => modelConfig(of(request)));
    app.get<Named>(`${path}/stats`, async ({ params }) => statistics(params.model, params.version));
    app.get<Named>(`${path}/ready`, async ({ params: { model, version } }) => {
      if (!service.answers(model, version)) throw new ServeError('invalid', 'Model version not ready');
      return { name: model, ready: true };
    });
    app.post<Named>(`${path}/infer`, async (request, reply) => {
      let model = of(request);
      let body = bodyOf(request);
      const { 'content-encoding': encoding } = request.headers;
      if (encoding !== undefined) {
        body = await unpacked(body, encoding, maxBytes);
        // What was found before may have been replaced meanwhile. From here on nothing waits until the request is in the model's line.
        model = of(request);
      }
      const read = readRequest(body, request.headers[headerLength] as string | undefined, model.name);
      const outputs = await service.infer(model, read.request, callerOf(reply));
      const { body: written, jsonLength } = writeAnswer(model, read, outputs);
      if (jsonLength === undefined) return reply.type('application/json').send(written);
      return reply.type('application/octet-stream').header(headerLength, jsonLength).send(written);
    });
  }
  app.get('/v2/models/stats', async () => statistics(''));
}

function addSamples(app: FastifyInstance, service: Service, maxBytes: number, callerOf: CallerOf, samples: SampleReader): void {
  app.get('/tasks', async () => told(samples.file));
  app.post<{ readonly Params: { readonly task: string } }>('/predict/:task', async ({ params, headers, ...request }, reply) => {
    const bytes = await unpacked(bodyOf(request as FastifyRequest), headers['content-encoding'], maxBytes);
    const given = { type: headers['content-type'] ?? '', bytes };
    const { type, body } = await predicted(service, samples, params.task, given, headers.accept ?? '', callerOf(reply));
    return reply.type(type).send(body);
  });
}

function addRepository(app: FastifyInstance, service: Service): void {
  app.post('/v2/repository/index', async (request) => {
    const { ready } = membersOf(request);
    if (ready !== undefined && typeof ready !== 'boolean') throw new ServeError('invalid', "'ready' is neither true nor false");
    const all = service.host.index().filter(({ state }) => ready !== true || state === 'READY');
    return all.map(({ reason, ...entry }) => (reason === '' ? entry : { ...entry, reason }));
  });
  app.post<Named>('/v2/repository/models/:model/load', async (request, reply) => {
    const { parameters } = membersOf(request);
    if (typeof parameters === 'object' && parameters !== null && Object.keys(parameters).length > 0)
      throw new ServeError('unsupported', 'models are loaded as they are in the repository: no config and no files may be given');
    await service.host.load(request.params.model);
    return reply.send();
  });
  app.post<Named>('/v2/repository/models/:model/unload', async (request, reply) => {
    await service.host.unload(request.params.model);
    return reply.send();
  });
}

/** Paths that are there, with a method that they do not have, are answered 405. */
const known =
  /^\/v2(\/health\/(live|ready)|\/models\/stats|\/models\/[^/]+(\/versions\/\d+)?(\/(config|stats|ready|infer))?|\/repository\/(index|models\/[^/]+\/(load|unload)))?\/?$/;
const ofSamples = /^\/(tasks|predict\/[^/]+)\/?$/;

/** The server, which does not listen yet. */
export function httpServer(service: Service, { limits, logger, tls, apiKey, samples, tracing }: HttpOptions): FastifyInstance {
  const { receiveMs, sendMs } = limits;
  const http = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: receiveMs,
    requestTimeout: receiveMs,
    // Node would answer nothing but a status; the check is below.
    requireHostHeader: false,
    // How often Node looks for requests that are late.
    connectionsCheckingInterval: Math.min(30_000, Math.ceil(receiveMs / 4)),
  };
  const app = fastify({
    loggerInstance: logger,
    // A line for each request, below.
    logController: new LogController({ disableRequestLogging: true }),
    // A client's own id is kept where it is one that a log can hold.
    genReqId: ({ headers }) => {
      const { 'x-request-id': given } = headers;
      return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
    },
    bodyLimit: limits.maxBytes,
    requestTimeout: receiveMs,
    clientErrorHandler: refuseConnection,
    // Paths that have no route because they cannot be read.
    frameworkErrors: ({ statusCode = 400, message }, _request, reply) => {
      void (reply as FastifyReply).code(statusCode).send({ error: message });
    },
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: true },
    ...(tls === undefined ? { http } : { https: { ...http, ...tls } as never }),
    // Its types tell servers with and without TLS apart; what is done with one here is the same.
  }) as unknown as FastifyInstance;
  (app.server as Server).maxConnections = limits.maxConnections;
  app.server.on('checkExpectation', refuseExpectation);
  app.removeAllContentTypeParsers();
  // The first two are found without a search.
  for (const type of ['application/json', 'application/octet-stream', '*'])
    app.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, request, reply) => answerError(error, reply, request.log));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const there = known.test(path) || (samples !== undefined && ofSamples.test(path));
    return reply.code(there ? 405 : 404).send({ error: there ? 'Method Not Allowed' : 'Not Found' });
  });
  tracing?.http(app);
  const allowed = keyCheck(apiKey);
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    if (!service.ready) reply.header('connection', 'close');
    refuseHostless(request.raw);
    refusePages(request.headers);
    if (request.url.startsWith('/v2/health/') || allowed(keyOf(request.headers))) return done();
    reply.header('www-authenticate', 'Bearer');
    reply.code(401).send({ error: 'expected the key as "authorization: Bearer ..." or x-api-key' });
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    const { raw } = reply;
    endUnread(raw, sendMs, () => request.log.warn({ ms: sendMs }, 'a client does not read its answer, its connection is closed'));
    const large = tls === undefined ? undefined : partsOf(payload);
    if (large !== undefined) reply.header('content-length', large.length);
    done(null, large?.parts ?? payload);
  });
  if (logger.isLevelEnabled('info'))
    app.addHook('onResponse', (request, reply, done) => {
      const { method, url, log } = request;
      log.info({ method, url, status: reply.statusCode, ms: Math.round(reply.elapsedTime * 1000) / 1000 }, 'answered');
      done();
    });
  app.get('/v2', async () => service.about);
  // Clients of Triton look at the status alone; KServe's reads the body that the protocol shows.
  app.get('/v2/health/live', async () => ({ live: true }));
  app.get('/v2/health/ready', async (_, reply) => reply.code(service.ready ? 200 : 503).send({ ready: service.ready }));
  const callerOf: CallerOf = (reply) => ({ gone: () => reply.raw.destroyed, ...tracing?.noteOf(reply.request) });
  addModels(app, service, limits.maxBytes, callerOf);
  addRepository(app, service);
  if (samples !== undefined) addSamples(app, service, limits.maxBytes, callerOf, samples);
  return app;
}
