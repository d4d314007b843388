// A client of gRPC for tests: grpc-js over proto/inference.proto.
import {
  type ChannelCredentials,
  Client,
  credentials,
  type Metadata,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { onTestFinished } from 'vitest';
import { repo } from '../cli/support.js';

const definition = loadSync(`${repo}/proto/inference.proto`, { keepCase: true, longs: Number, enums: String, defaults: true });
const service = definition['inference.GRPCInferenceService'] as ServiceDefinition;

function methodOf(name: string) {
  const method = service[name];
  if (method === undefined) throw new Error(`no method ${name}`);
  return method;
}

export interface Called {
  /** Of gRPC. */
  readonly code: number;
  readonly said: string;
  readonly answer?: { readonly raw_output_contents?: readonly Buffer[] };
}

export interface Caller {
  call(method: string, message: object, metadata?: Metadata): Promise<Called>;
  close(): void;
  /** The same as `call`, to be cancelled. */
  cancelled(method: string, message: object, metadata: Metadata): { readonly ended: Promise<Called>; cancel(): void };
  stream(method: string, metadata: Metadata): Stream;
}

export interface Stream {
  /** The answer to a message; rejects where the call ends before. */
  ask(message: object): Promise<{ readonly error_message?: string }>;
  /** The code of the call. */
  end(): Promise<number>;
  cancel(): void;
}

/** A connection of its own, closed with the test. */
export function caller(address: string, by: ChannelCredentials = credentials.createInsecure(), options = {}): Caller {
  const client = new Client(address, by, { 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_retries': 0, ...options });
  onTestFinished(() => client.close());
  return {
    close: () => client.close(),
    cancelled: (name, message, metadata) => {
      const { path, requestSerialize, responseDeserialize } = methodOf(name);
      let cancel = () => {};
      const ended = new Promise<Called>((resolve) => {
        const done = (error: ServiceError | null) => resolve({ code: error?.code ?? 0, said: error?.details ?? '' });
        const call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, metadata, done);
        cancel = () => call.cancel();
      });
      return { ended, cancel: () => cancel() };
    },
    stream: (name, metadata) => {
      const { path, requestSerialize, responseDeserialize } = methodOf(name);
      const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
      const code = new Promise<number>((resolve) => call.on('status', (status) => resolve(status.code)));
      call.on('error', () => {});
      return {
        ask: (message) =>
          new Promise((resolve, reject) => {
            call.once('data', resolve).once('error', reject);
            call.write(message);
          }),
        end: () => {
          call.end();
          return code;
        },
        cancel: () => call.cancel(),
      };
    },
    call: (name, message, metadata) =>
      new Promise((resolve) => {
        const { path, requestSerialize, responseDeserialize } = methodOf(name);
        const done = (error: ServiceError | null, answer?: object) =>
          resolve(error === null ? { code: 0, said: '', answer: answer ?? {} } : { code: error.code, said: error.details });
        const deadline = { deadline: Date.now() + 30_000 };
        if (metadata === undefined) client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, deadline, done);
        else client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, metadata, deadline, done);
      }),
  };
}

/** A message as it goes over HTTP/2: not packed, its length before it. */
export function framed(name: string, message: object): Buffer {
  const bytes = methodOf(name).requestSerialize(message);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** A question of a model that takes `x`, FP32. */
export const question = (model: string, shape: readonly number[], values: readonly number[]) => ({
  model_name: model,
  inputs: [{ name: 'x', datatype: 'FP32', shape }],
  raw_input_contents: [Buffer.from(Float32Array.from(values).buffer)],
});
