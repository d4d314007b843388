// Metrics in Prometheus' text form under the names that Triton has for them, on a port of their own; and those of the process.
import os from 'node:os';
import fastify, { type FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Service } from './service.js';
import type { Duration, ModelStatistics } from './statistics.js';

const microseconds = ({ ns }: Duration): number => Math.round(ns / 1000);

const counted: readonly (readonly [name: string, help: string, of: (s: ModelStatistics) => number])[] = [
  ['nv_inference_request_success', 'Number of successful inference requests', (s) => s.success.count],
  ['nv_inference_count', 'Number of inferences performed (rows of batches)', (s) => s.inferences],
  ['nv_inference_exec_count', 'Number of model executions performed', (s) => s.executions],
  ['nv_inference_request_duration_us', 'Cumulative inference request duration in microseconds', (s) => microseconds(s.success)],
  ['nv_inference_queue_duration_us', 'Cumulative inference queuing duration in microseconds', (s) => microseconds(s.queue)],
  [
    'nv_inference_compute_input_duration_us',
    'Cumulative compute input duration in microseconds',
    (s) => microseconds(s.computeInput),
  ],
  [
    'nv_inference_compute_infer_duration_us',
    'Cumulative compute inference duration in microseconds',
    (s) => microseconds(s.computeInfer),
  ],
  [
    'nv_inference_compute_output_duration_us',
    'Cumulative compute output duration in microseconds',
    (s) => microseconds(s.computeOutput),
  ],
];

/** Shares of the time since the last call in which the machine's cores were busy. */
function utilization(): () => number {
  const times = () =>
    os.cpus().map(({ times: { idle, ...busy } }) => [Object.values(busy).reduce((a, b) => a + b, 0), idle] as const);
  const sum = () => times().reduce(([a, b], [busy, idle]) => [a + busy, b + idle] as const, [0, 0] as const);
  let last: readonly [number, number] = [0, 0];
  return () => {
    const now = sum();
    const [busy, idle] = [now[0] - last[0], now[1] - last[1]];
    last = now;
    return busy + idle === 0 ? 0 : busy / (busy + idle);
  };
}

export function metricsOf(service: Service): Registry {
  const registry = new Registry();
  const registers = [registry];
  const labelNames = ['model', 'version'] as const;
  const labels = ({ name: model, version }: { readonly name: string; readonly version: string }) => ({ model, version });
  for (const [name, help, of] of counted) {
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const s of service.statistics.all()) this.inc(labels(s), of(s));
      },
    });
  }
  new Counter({
    name: 'nv_inference_request_failure',
    help: 'Number of failed inference requests',
    labelNames: [...labelNames, 'reason'],
    registers,
    collect() {
      this.reset();
      for (const s of service.statistics.all())
        for (const [reason, count] of Object.entries(s.failures)) this.inc({ ...labels(s), reason }, count);
    },
  });
  new Gauge({
    name: 'nv_inference_pending_request_count',
    help: 'Instantaneous number of pending requests awaiting execution',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { name } of service.host.index()) {
        const model = service.host.find(name);
        if (model !== undefined) this.set(labels(model), model.pending);
      }
    },
  });
  const share = utilization();
  const gauges: readonly (readonly [name: string, help: string, of: () => number])[] = [
    ['nv_cpu_utilization', 'CPU utilization rate [0.0 - 1.0]', share],
    ['nv_cpu_memory_total_bytes', 'CPU total memory (RAM), in bytes', () => os.totalmem()],
    ['nv_cpu_memory_used_bytes', 'CPU used memory (RAM), in bytes', () => os.totalmem() - os.freemem()],
  ];
  for (const [name, help, of] of gauges) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(of());
      },
    });
  }
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** What answers GET /metrics; it does not listen yet. */
export function metricsServer(service: Service): FastifyInstance {
  const registry = metricsOf(service);
  const app = fastify({ bodyLimit: 1024, forceCloseConnections: true });
  app.server.maxConnections = 64;
  app.get('/metrics', async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  return app;
}
