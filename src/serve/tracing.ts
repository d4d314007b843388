// Spans of inference requests for OpenTelemetry, where its API is installed and a tracer provider was registered before the server began. Names and
// attributes are those of its semantic conventions, and prognet's own under `prognet.`.
import type { Span } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { version } from '../onnx/core/version.js';
import { importPackage } from '../onnx/files/optional-package.js';
import { statusOfRefused } from './http/refused-connection.js';
import type { Caller } from './service.js';

type Api = typeof import('@opentelemetry/api');
type Tracer = ReturnType<Api['trace']['getTracer']>;
type Attributes = Readonly<Record<string, string | number>>;

const packageName = '@opentelemetry/api';
/** Routes of HTTP that ask a model. */
const asks = /^\/v2\/models\/.+\/infer$|^\/predict\//;
const rpcService = 'inference.GRPCInferenceService';
/** Codes of gRPC that are the server's fault: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const rpcFaults: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

/** What a client is told where a request failed: the `error` of a JSON body. */
function errorOf(payload: unknown): string {
  const { error } = typeof payload === 'string' && payload.startsWith('{') ? JSON.parse(payload) : { error: '' };
  return String(error);
}

/** The span of a request over gRPC. */
export interface RpcSpan {
  readonly note: NonNullable<Caller['note']>;
  /** Ends it. */
  ended(code: number, details: string): void;
}

/** What gives spans. */
export class Tracing {
  /** Of requests over HTTP. */
  private readonly spans = new WeakMap<object, Span>();

  private constructor(
    private readonly api: Api,
    private readonly tracer: Tracer,
  ) {}

  /** Undefined where the API is not installed, or no tracer provider is registered. */
  static async open(log: Logger): Promise<Tracing | undefined> {
    let api: Api;
    try {
      api = (await importPackage(packageName)) as Api;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'MODULE_NOT_FOUND') log.warn({ why: message }, `${packageName} cannot be loaded, requests give no spans`);
      return undefined;
    }
    const provider = api.trace.getTracerProvider();
    // The API's own provider, which passes on to the one that is registered.
    const none = provider instanceof api.ProxyTracerProvider && provider.getDelegateTracer('prognet') === undefined;
    if (none) return undefined;
    log.info('requests give spans of OpenTelemetry');
    return new Tracing(api, provider.getTracer('prognet', version));
  }

  /** A span for each inference request, those that are refused included. To be called before what refuses. */
  http(app: FastifyInstance): void {
    app.addHook('onRequest', async (request, reply) => {
      const { method, headers, url, protocol, routeOptions } = request;
      if (!asks.test(routeOptions.url ?? '')) return;
      const route = (routeOptions.url ?? '').replace(/:(\w+)(\([^)]*\))?/g, '{$1}');
      const span = this.begin(`${method} ${route}`, headers, {
        'http.request.method': method,
        'http.route': route,
        'url.path': url.split('?', 1)[0] ?? '',
        'url.scheme': protocol,
      });
      const { socket } = request.raw;
      this.spans.set(request, span);
      reply.raw.once('close', () => {
        // Who hangs up is not told a status; whose request comes too slowly is, but not by this reply.
        const status = reply.raw.writableFinished ? reply.statusCode : statusOfRefused(socket);
        if (status !== undefined) span.setAttribute('http.response.status_code', status);
        else span.setAttribute('error.type', 'cancelled');
        span.end();
      });
    });
    app.addHook('onSend', async (request, { statusCode }, payload) => {
      if (statusCode >= 500) this.failed(this.spans.get(request), String(statusCode), errorOf(payload));
    });
  }

  /** What takes the facts of a request over HTTP. */
  noteOf(request: object): Pick<Caller, 'note'> {
    const span = this.spans.get(request);
    return span === undefined ? {} : { note: (facts) => span.setAttributes(facts) };
  }

  /** Begins the span of a request over gRPC. */
  rpc(method: string, metadata: object): RpcSpan {
    const span = this.begin(`${rpcService}/${method}`, metadata, {
      'rpc.system': 'grpc',
      'rpc.service': rpcService,
      'rpc.method': method,
    });
    return {
      note: (facts) => span.setAttributes(facts),
      ended: (code, details) => {
        span.setAttribute('rpc.grpc.status_code', code);
        if (rpcFaults.has(code)) this.failed(span, String(code), details);
        span.end();
      },
    };
  }

  /** @param carrier headers or metadata, whose trace it belongs to */
  private begin(name: string, carrier: object, attributes: Attributes): Span {
    const { propagation, ROOT_CONTEXT, SpanKind } = this.api;
    return this.tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, propagation.extract(ROOT_CONTEXT, carrier));
  }

  private failed(span: Span | undefined, type: string, message: string): void {
    span?.setAttribute('error.type', type).setStatus({ code: this.api.SpanStatusCode.ERROR, message });
  }
}
