// The Open Inference Protocol over gRPC, with the extensions of Triton that its clients use.
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
import type { Service } from '../service.js';
import { answerMessage, type InferMessage, readMessage } from './infer-message.js';
import { inferenceProto } from './inference-proto.js';

export interface GrpcOptions {
  readonly maxBytes: number;
  /** Requests of one connection at a time. */
  readonly maxStreams: number;
  readonly logger: Logger;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly apiKey?: string;
}

const codes: Readonly<Record<FaultKind, status>> = {
  invalid: status.INVALID_ARGUMENT,
  forbidden: status.PERMISSION_DENIED,
  'not-found': status.NOT_FOUND,
  'too-large': status.RESOURCE_EXHAUSTED,
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
type Unary = (request: never, signal: AbortSignal) => Promise<object> | object;

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
    ModelInfer: (request: InferMessage, signal) => inferred(service, request, signal),
  };
}

async function inferred(service: Service, message: InferMessage, signal: AbortSignal): Promise<object> {
  const model = service.model(message.model_name, message.model_version);
  const request = readMessage(message);
  return answerMessage(model, request, await service.infer(model, request, signal));
}

/** What a client is told. */
function fault(error: unknown, log: Logger): { readonly code: status; readonly details: string } {
  if (error instanceof ServeError) return { code: codes[error.kind], details: error.message };
  log.error({ err: error }, 'internal error');
  return { code: status.INTERNAL, details: 'internal: the server failed, its log says more' };
}

/** Aborted when the client has gone, or its deadline has passed. */
function whileThere(call: ServerUnaryCall<object, object> | ServerDuplexStream<InferMessage, object>): AbortSignal {
  const controller = new AbortController();
  call.on('cancelled', () => controller.abort());
  return controller.signal;
}

/** The server, which does not listen yet. */
export function grpcServer(service: Service, options: GrpcOptions): Server {
  const { logger, apiKey, maxBytes } = options;
  const allowed = keyCheck(apiKey);
  const open = (method: string, metadata: Metadata) =>
    method === 'ServerLive' || method === 'ServerReady' || allowed(keyOf(metadata.getMap()));
  const noKey = {
    code: status.UNAUTHENTICATED,
    details: 'expected the key as metadata "authorization: Bearer ..." or x-api-key',
  };
  const server = new Server({
    'grpc.max_receive_message_length': maxBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': options.maxStreams,
  });
  const handlers: Record<string, UntypedHandleCall> = {};
  for (const [method, answer] of Object.entries(methodsOf(service))) {
    const unary: handleUnaryCall<object, object> = (call, done) => {
      if (!open(method, call.metadata)) {
        done(noKey);
        return;
      }
      const begun = performance.now();
      const said = (code: status) =>
        logger.info(
          { method, peer: call.getPeer(), code, ms: Math.round((performance.now() - begun) * 1000) / 1000 },
          'answered',
        );
      const work = async () => answer(call.request as never, whileThere(call));
      work().then(
        (value) => {
          said(status.OK);
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
    if (!open('ModelStreamInfer', call.metadata)) {
      call.emit('error', noKey);
      return;
    }
    const signal = whileThere(call);
    let before: Promise<void> = Promise.resolve();
    const answer = async (message: InferMessage) => {
      const reply = await inferred(service, message, signal).then(
        (infer_response) => ({ infer_response }),
        (error) => ({
          error_message: fault(error, logger).details,
          infer_response: { id: message.id, model_name: message.model_name },
        }),
      );
      if (!signal.aborted) call.write(reply);
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

/** Listens; the port that it took. Throws what the system says. */
export async function listenGrpc(server: Server, host: string, port: number, { tls }: GrpcOptions): Promise<number> {
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }]);
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return await new Promise((resolve, reject) =>
    server.bindAsync(address, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error))),
  );
}
