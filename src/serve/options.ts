// What a server is begun with: the options of the command and the members of a file for --config, with their bounds and what holds where they are left out.
import { availableParallelism } from 'node:os';
import * as z from 'zod';
import { type Form, forms } from '../model/progressive/forms.js';

const port = z.number().int().min(0).max(65535);
const whole = (low: number, high: number) => z.number().int().min(low).max(high);

export const serveSchema = z.strictObject({
  $schema: z.string().optional().describe('Where the schema of this file lies, for editors'),
  models: z
    .array(z.string().min(1))
    .default([])
    .describe('Workspaces, folders of models, .onnx and .prognet files; the workspace here when empty'),
  forms: z
    .array(z.enum(forms as readonly [Form, ...Form[]]))
    .min(1)
    .default(['task'])
    .describe('Of networks: a model for each task, one of all tasks, one that computes the task asked for'),
  fleet: z
    .string()
    .min(1)
    .optional()
    .describe('Folder that export --fleet wrote: each of its columns is a model; in place of models'),
  fleet_memory: whole(1, 2 ** 40)
    .default(2 ** 28)
    .describe("Bytes of columns' weights in memory at most, of all workers together"),
  tasks: z
    .string()
    .min(1)
    .optional()
    .describe('File that tells what samples of tasks are, which deploy node writes: POST /predict/<task> takes them'),
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on'),
  port: port.default(8000).describe('Of HTTP; 0 takes any that is free'),
  grpc_port: port.nullable().default(8001).describe('Of gRPC; null: none'),
  metrics_port: port.nullable().default(8002).describe('Of the metrics; null: none'),
  workers: whole(1, 1024)
    .default(() => availableParallelism())
    .describe('Threads that compute, each with a session of every model'),
  threads: whole(1, 1024).default(1).describe('Threads of one run'),
  providers: z.array(z.string().min(1)).min(1).default(['cpu']).describe('Execution providers in order of preference'),
  max_batch: whole(1, 2 ** 20)
    .default(256)
    .describe('Rows of one batch at most, of one request and of several that are joined'),
  batch_delay_us: whole(0, 10_000_000).default(0).describe('Microseconds that a request waits for others to join its batch'),
  max_queue: whole(1, 2 ** 20)
    .default(256)
    .describe('Requests that wait for one model at most; further ones are answered 503'),
  timeout_ms: whole(1, 3_600_000).default(30_000).describe('Milliseconds after which a request that still waits is answered 503'),
  max_bytes: whole(1024, 2 ** 31 - 1)
    .default(64 * 2 ** 20)
    .describe('Bytes of a body at most'),
  max_header_bytes: whole(1024, 2 ** 20)
    .default(2 ** 14)
    .describe('Bytes of the headers of a request at most'),
  max_connections: whole(1, 2 ** 20)
    .default(1024)
    .describe('Connections at most'),
  receive_ms: whole(100, 3_600_000).default(30_000).describe('Milliseconds in which a request must have come'),
  send_ms: whole(100, 3_600_000)
    .default(30_000)
    .describe('Milliseconds without progress after which the connection of a client that does not read its answer is closed'),
  poll_ms: whole(0, 86_400_000).default(2000).describe('Milliseconds between looks for new and changed models; 0: none'),
  drain_ms: whole(0, 3_600_000).default(30_000).describe('Milliseconds that requests under way have at SIGTERM'),
  tls_cert: z.string().min(1).optional().describe('PEM file of the certificate'),
  tls_key: z.string().min(1).optional().describe("PEM file of the certificate's key"),
  api_key_file: z.string().min(1).optional().describe('File of the key that clients must send'),
  log_level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('Least level of the lines on stderr'),
});

/** With all defaults. */
export type ServeOptions = z.output<typeof serveSchema>;
