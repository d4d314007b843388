// How the soak asks: one request over HTTP as JSON or as bytes, over gRPC; what came back as a status and outputs by name.
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const proto = fileURLToPath(new URL('../../../proto/inference.proto', import.meta.url));
const { inference } = loadPackageDefinition(loadSync(proto, { keepCase: true, longs: Number, enums: String, defaults: true }));

const readers = {
  FP32: (bytes) => Array.from(new Float32Array(bytes)),
  INT64: (bytes) => Array.from(new BigInt64Array(bytes), Number),
};
const elements = (datatype, bytes) => readers[datatype](Uint8Array.from(bytes).buffer);
const floats = (values) => Buffer.from(Float32Array.from(values).buffer);

/** A request's status, headers and bytes. Rejects where the connection ends before the answer does. */
export function send(base, { path, method = 'POST', headers = {}, body, agent, onRequest }) {
  return new Promise((resolve, reject) => {
    const asked = request(`${base}${path}`, { method, headers, agent }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, bytes: Buffer.concat(chunks) }));
    });
    asked.on('error', reject);
    asked.setTimeout(60_000, () => asked.destroy(new Error('no answer in a minute')));
    onRequest?.(asked);
    asked.end(body);
  });
}

export const newAgent = () => new Agent({ keepAlive: true, maxSockets: 4 });

/** The body of a request and its headers. */
export function bodyOf({ shape, values }, binary) {
  const tensor = { name: 'x', datatype: 'FP32', shape };
  if (!binary)
    return { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ inputs: [{ ...tensor, data: values }] }) };
  const bytes = floats(values);
  const inputs = [{ ...tensor, parameters: { binary_data_size: bytes.length } }];
  const head = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  return { headers: { 'inference-header-content-length': String(head.length) }, body: Buffer.concat([head, bytes]) };
}

/** Outputs by name of an answer's bytes. */
export function outputsOf({ headers, bytes }) {
  const length = Number(headers['inference-header-content-length'] ?? bytes.length);
  let at = length;
  const { outputs } = JSON.parse(bytes.subarray(0, length).toString());
  return Object.fromEntries(
    outputs.map(({ name, datatype, data, parameters }) => {
      if (data !== undefined) return [name, data.map((v) => (datatype === 'FP32' ? Math.fround(v) : v))];
      at += parameters.binary_data_size;
      return [name, elements(datatype, bytes.subarray(at - parameters.binary_data_size, at))];
    }),
  );
}

/** Asks over HTTP. */
export async function askHttp(base, asked, { binary, agent, onRequest } = {}) {
  const reply = await send(base, { path: `/v2/models/${asked.model}/infer`, ...bodyOf(asked, binary), agent, onRequest });
  return {
    status: reply.status,
    ...(reply.status === 200 ? { outputs: outputsOf(reply) } : { said: reply.bytes.toString().slice(0, 300) }),
  };
}

export const grpcClient = (address) =>
  new inference.GRPCInferenceService(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });

export const messageOf = ({ model, shape, values }) => ({
  model_name: model,
  inputs: [{ name: 'x', datatype: 'FP32', shape }],
  raw_input_contents: [floats(values)],
});

/** Calls a method; the status is that of gRPC, 0 for an answer. @param onCall is given the call, which may be cancelled */
export function call(client, method, message, onCall) {
  return new Promise((resolve) => {
    const made = client[method](message, { deadline: Date.now() + 60_000 }, (error, answer) =>
      resolve(error ? { status: error.code, said: error.details } : { status: 0, answer }),
    );
    onCall?.(made);
  });
}

/** Asks over gRPC. */
export async function askGrpc(client, asked, onCall) {
  const { status, said, answer } = await call(client, 'ModelInfer', messageOf(asked), onCall);
  if (status !== 0) return { status, said };
  const outputs = answer.outputs.map(({ name, datatype }, i) => [name, elements(datatype, answer.raw_output_contents[i])]);
  return { status, outputs: Object.fromEntries(outputs) };
}
