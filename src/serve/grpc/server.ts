// The Open Inference Protocol over gRPC, with the extensions of Triton that its clients use.
import { lookup } from 'node:dns/promises';
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net';
import {
  type handleUnaryCall,
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceDefinition,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import type { Logger } from 'pino';
import { keyCheck, keyOf } from '../http/access.js';
import { modelConfig, modelMetadata } from '../protocol/model-config.js';
import { statisticsDocument } from '../protocol/statistics-document.js';
import { type FaultKind, ServeError } from '../served-model.js';
import type { Caller, Service } from '../service.js';
import type { Tracing } from '../tracing.js';
import type { Deliveries } from './deliveries.js';
import { answerMessage, type InferMessage, readMessage } from './infer-message.js';
import { inferenceProto } from './inference-proto.js';

export interface GrpcOptions {
  readonly maxBytes: number;
  /** Of the metadata of a request. */
  readonly maxHeaderBytes: number;
  /** Connections, and requests of one connection at a time. */
  readonly maxConnections: number;
  /** Answers on their way, and the connections that they go by. */
  readonly deliveries: Deliveries;
  readonly logger: Logger;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly apiKey?: string;
  readonly tracing?: Tracing;
}

const codes: Readonly<Record<FaultKind, status>> = {
  invalid: status.INVALID_ARGUMENT,
  forbidden: status.PERMISSION_DENIED,
  'not-found': status.NOT_FOUND,
  'not-acceptable': status.INVALID_ARGUMENT,
  'too-large': status.RESOURCE_EXHAUSTED,
  'media-type': status.INVALID_ARGUMENT,
  cancelled: status.CANCELLED,
  internal: status.INTERNAL,
  unsupported: status.UNIMPLEMENTED,
  unavailable: status.UNAVAILABLE,
};

interface Named {
  readonly name: string;
  readonly version: string;
}
interface InRepository {
  readonly model_name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What answers a message. */
type Unary = (request: never, caller: Caller) => Promise<object> | object;

function methodsOf(service: Service): Readonly<Record<string, Unary>> {
  const of = ({ name, version }: Named) => service.model(name, version);
  return {
    ServerLive: () => ({ live: true }),
    ServerReady: () => ({ ready: service.ready }),
    ModelReady: ({ name, version }: Named) => ({ ready: service.answers(name, version) }),
    ServerMetadata: () => service.about,
    ModelMetadata: (request: Named) => modelMetadata(of(request)),
    ModelConfig: (request: Named) => ({ config: modelConfig(of(request)) }),
    ModelStatistics: (request: Named) => {
      const models = service.counted(request.name, request.version);
      return { model_stats: models.map((model) => statisticsDocument(service.statistics.of(model))) };
    },
    RepositoryIndex: ({ ready }: { readonly ready: boolean }) => ({
      models: service.host.index().filter(({ state }) => !ready || state === 'READY'),
    }),
    RepositoryModelLoad: async ({ model_name, parameters }: InRepository) => {
      if (Object.keys(parameters).length > 0)
        throw new ServeError(
          'unsupported',
          'models are loaded as they are in the repository: no config and no files may be given',
        );
      await service.host.load(model_name);
      return {};
    },
    RepositoryModelUnload: async ({ model_name }: InRepository) => {
      await service.host.unload(model_name);
      return {};
    },
    ModelInfer: (request: InferMessage, caller) => inferred(service, request, caller),
  };
}

async function inferred(service: Service, message: InferMessage, caller: Caller): Promise<object> {
  const model = service.model(message.model_name, message.model_version);
  const request = readMessage(message);
  return answerMessage(model, request, await service.infer(model, request, caller));
}

/** What a client is told. */
interface Told {
  readonly code: status;
  readonly details: string;
}

/** What a client is told of an error. */
function fault(error: unknown, log: Logger): Told {
  if (error instanceof ServeError) return { code: codes[error.kind], details: error.message };
  log.error({ err: error }, 'internal error');
  return { code: status.INTERNAL, details: 'internal: the server failed, its log says more' };
}

/** Whether the client has gone, or its deadline has passed. */
const goneOf = (call: ServerUnaryCall<object, object> | ServerDuplexStream<InferMessage, object>) => () => call.cancelled;

/** Of names and values together. */
function bytesOf(metadata: Metadata): number {
  let bytes = 0;
  for (const [name, values] of Object.entries(metadata.toJSON()))
    for (const value of values) bytes += name.length + Buffer.byteLength(value);
  return bytes;
}

/** The server, which does not listen yet. */
export function grpcServer(service: Service, options: GrpcOptions): Server {
  const { logger, apiKey, maxBytes, maxHeaderBytes, deliveries, tracing } = options;
  const allowed = keyCheck(apiKey);
  const noKey = {
    code: status.UNAUTHENTICATED,
    details: 'expected the key as metadata "authorization: Bearer ..." or x-api-key',
  };
  const large = { code: status.RESOURCE_EXHAUSTED, details: `the metadata have over ${maxHeaderBytes} bytes` };
  /** Why a call is not answered, whatever it asks. */
  const refusal = (method: string, metadata: Metadata) => {
    if (bytesOf(metadata) > maxHeaderBytes) return large;
    const free = method === 'ServerLive' || method === 'ServerReady';
    return free || allowed(keyOf(metadata.getMap())) ? undefined : noKey;
  };
  const server = new Server({
    'grpc.max_receive_message_length': maxBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': options.maxConnections,
    // A peer that is gone without a word holds none of the connections.
    'grpc.keepalive_time_ms': 60_000,
  });
  const handlers: Record<string, UntypedHandleCall> = {};
  for (const [method, answer] of Object.entries(methodsOf(service))) {
    const unary: handleUnaryCall<object, object> = (call, answered) => {
      const span = method === 'ModelInfer' ? tracing?.rpc(method, call.metadata.getMap()) : undefined;
      const done = (told: Told | null, value?: object) => {
        span?.ended(told?.code ?? status.OK, told?.details ?? '');
        answered(told, value);
      };
      const refused = refusal(method, call.metadata);
      if (refused !== undefined) {
        done(refused);
        return;
      }
      const begun = performance.now();
      const said = (code: status) =>
        logger.info(
          { method, peer: call.getPeer(), code, ms: Math.round((performance.now() - begun) * 1000) / 1000 },
          'answered',
        );
      const work = async () => answer(call.request as never, { gone: goneOf(call), ...span });
      work().then(
        (value) => {
          said(status.OK);
          if (!call.cancelled) call.on('cancelled', deliveries.begin(call.getPeer()));
          done(null, value);
        },
        (error) => {
          const told = fault(error, logger);
          said(told.code);
          done(told);
        },
      );
    };
    handlers[method] = unary;
  }
  // The requests of a stream are answered in their order, one after another.
  handlers.ModelStreamInfer = (call: ServerDuplexStream<InferMessage, object>) => {
    const refused = refusal('ModelStreamInfer', call.metadata);
    if (refused !== undefined) {
      call.emit('error', refused);
      return;
    }
    const gone = goneOf(call);
    /** Resolves once an answer has gone: who does not read the answers is not asked for more requests. */
    const sent = (reply: object) =>
      new Promise<void>((resolve) => {
        const delivered = deliveries.begin(call.getPeer());
        const done = () => {
          call.off('cancelled', done);
          delivered();
          resolve();
        };
        call.on('cancelled', done);
        call.write(reply, done);
      });
    let before: Promise<void> = Promise.resolve();
    const answer = async (message: InferMessage) => {
      const span = tracing?.rpc('ModelStreamInfer', call.metadata.getMap());
      const reply = await inferred(service, message, { gone, ...span }).then(
        (answered) => {
          span?.ended(status.OK, '');
          // Clients of Triton's that take many answers to a request look for the last one.
          return { infer_response: { ...answered, parameters: { triton_final_response: { bool_param: true } } } };
        },
        (error) => {
          const { code, details } = fault(error, logger);
          span?.ended(code, details);
          return { error_message: details, infer_response: { id: message.id } };
        },
      );
      if (!gone()) await sent(reply);
      call.resume();
    };
    call.on('data', (message: InferMessage) => {
      call.pause();
      before = before.then(() => answer(message));
    });
    call.on('end', () => void before.then(() => call.end()));
  };
  const messages = fromJSON(JSON.parse(inferenceProto), {
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  server.addService(messages['inference.GRPCInferenceService'] as ServiceDefinition, handlers);
  return server;
}

/** Where calls come in. */
export interface GrpcListening {
  readonly port: number;
  /** No more connections; those that are there stay. */
  stop(): void;
}

/** Listens on the addresses of a host. grpc-js has no bound for connections, so they are taken here and given to it. Throws what the system says. */
export async function listenGrpc(server: Server, host: string, port: number, options: GrpcOptions): Promise<GrpcListening> {
  const { tls, maxConnections, deliveries } = options;
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }]);
  const injector = server.createConnectionInjector(credentials);
  const listeners: NetServer[] = [];
  let bound = port;
  for (const { address } of await lookup(host, { all: true })) {
    const listener = createServer({ noDelay: true }, (socket) => {
      deliveries.add(socket);
      injector.injectConnection(socket);
    });
    listener.maxConnections = maxConnections;
    listeners.push(listener);
    await new Promise<void>((resolve, reject) => listener.once('error', reject).listen(bound, address, resolve));
    bound = (listener.address() as AddressInfo).port;
  }
  return {
    port: bound,
    stop: () => {
      for (const listener of listeners) listener.close();
    },
  };
}
