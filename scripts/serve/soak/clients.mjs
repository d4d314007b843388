// Who asks the server during the soak: clients whose every answer is known, clients that hang up, clients that send what is none, and those who change the models meanwhile. What they see is
// counted in `seen`; what ought not to be is a line in `seen.problems`.
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { askGrpc, askHttp, bodyOf, call, grpcClient, messageOf, newAgent, send } from './asking.mjs';
import { maxBytes } from './models.mjs';

const { random } = Math;
const pick = (list) => list[Math.floor(random() * list.length)];
/** A request that was sent so long before SIGTERM has come to the server. */
const arrived = 300;

/** How often what happened. */
export class Seen {
  answered = 0;
  lost = 0;
  wrong = 0;
  unexpected = 0;
  turnedAway = 0;
  hungUp = 0;
  malformed = 0;
  loads = 0;
  reloads = 0;
  frozen = 0;
  problems = [];

  problem(kind, text) {
    this[kind] += 1;
    if (this.problems.length < 50) this.problems.push(`${kind}: ${text}`);
  }
}

/** A server as its clients see it: a new one has new connections. */
class Connected {
  constructor(server) {
    this.server = server;
    this.agent = newAgent();
    this.grpc = grpcClient(server.grpc);
  }
  close() {
    this.agent.destroy();
    this.grpc.close();
  }
}

export class Clients {
  /** @param soak `server`: resolves to the server of now; `running`: a promise where clients rest; `over` */
  constructor(soak, models, seen) {
    Object.assign(this, { soak, models, seen });
  }

  /** Goes on asking by `step` until the soak is over, on connections of its own, with a pause between. */
  async loop(milliseconds, step) {
    let connected;
    while (!this.soak.over) {
      if (this.soak.resting) {
        connected?.close();
        connected = undefined;
        await this.soak.rested();
        continue;
      }
      const server = await this.soak.server();
      if (connected?.server !== server) {
        connected?.close();
        connected = new Connected(server);
      }
      try {
        await step(connected);
      } catch (error) {
        this.seen.problem('unexpected', `${error.stack}`);
      }
      await after(milliseconds * (0.5 + random()));
    }
    connected?.close();
  }

  /** Asks, and looks whether the answer is the known one. @param also statuses that are right as well */
  async known(connected, way, asked, also = []) {
    const { server } = connected;
    const begun = performance.now();
    let found;
    try {
      found = await this.asked(connected, way, asked);
    } catch (error) {
      found = { status: error.message };
    }
    const ok = found.status === (way === 'grpc' ? 0 : 200);
    if (ok && asked.outputs !== undefined && !isDeepStrictEqual(found.outputs, asked.outputs))
      this.seen.problem('wrong', `${way} ${asked.model}: ${JSON.stringify(found.outputs).slice(0, 200)}`);
    else if (ok || also.includes(found.status)) this.seen.answered += 1;
    // Whoever asks while the server ends is turned away: the connection is refused or closed, 503, UNAVAILABLE.
    else if (
      server.ending !== undefined &&
      (begun > server.ending - arrived || /ECONNREFUSED/.test(`${found.status} ${found.said}`))
    )
      this.seen.turnedAway += 1;
    else {
      const kind = typeof found.status === 'number' && found.status !== 14 ? 'unexpected' : 'lost';
      this.seen.problem(kind, `${way} ${asked.model}: ${found.status} ${found.said ?? ''}`);
    }
    return ok ? found.outputs : undefined;
  }

  asked({ server, agent, grpc }, way, asked) {
    return way === 'grpc' ? askGrpc(grpc, asked) : askHttp(server.http, asked, { binary: way === 'binary', agent });
  }

  /** Columns, sums that are joined, and now and then something slow, each in one of three ways. */
  async normal(connected, i) {
    const way = pick(['json', 'binary', 'grpc']);
    const one =
      i % 40 === 0 ? this.models.same('slow', 2, i) : i % 3 === 0 ? pick([...this.models.columns.values()]) : this.models.sums(i);
    // The second column is unloaded at times: 404, and NOT_FOUND of gRPC.
    await this.known(connected, way, one, one.model === this.models.tasks[1] ? [404, 5] : []);
  }

  /** After the first answer of a new file none of the old one comes. */
  async swapped(connected) {
    const least = this.soak.swapped;
    const outputs = await this.known(connected, pick(['json', 'binary', 'grpc']), this.models.swapped());
    if (outputs === undefined) return;
    const [factor] = outputs.y;
    if (outputs.y.some((v) => v !== factor) || factor < least || factor > this.models.factor)
      this.seen.problem('wrong', `swap: ${factor}, expected from ${least} to ${this.models.factor}`);
    this.soak.swapped = Math.max(this.soak.swapped, factor);
  }

  /** Replaces a file, and waits until it answers. */
  async replacing({ server }) {
    const factor = this.models.swap();
    for (
      const end = performance.now() + 120_000;
      this.soak.swapped < factor && server.ending === undefined && !this.soak.resting;
      await after(50)
    ) {
      if (performance.now() < end) continue;
      this.seen.problem('unexpected', `swap.onnx of ${factor} is not served after two minutes`);
      return;
    }
    this.seen.reloads += 1;
  }

  /** Unloads a column and loads it again, over HTTP and over gRPC in turn. */
  async loading(connected, i) {
    const { server, agent, grpc } = connected;
    const model = this.models.tasks[1];
    const change = async (action) => {
      if (i % 2 === 0)
        return (await send(server.http, { path: `/v2/repository/models/${model}/${action}`, agent })).status === 200;
      const method = action === 'load' ? 'RepositoryModelLoad' : 'RepositoryModelUnload';
      return (await call(grpc, method, { model_name: model })).status === 0;
    };
    const done = (await change('unload')) && (await change('load'));
    if (done) this.seen.loads += 1;
    else if (server.ending === undefined) this.seen.problem('unexpected', `${model} cannot be unloaded and loaded`);
    if (done) await this.known(connected, 'binary', this.models.columns.get(model));
  }

  /** Hangs up in the middle of a body, of an answer, of waiting; of a call, of its message and of a stream. */
  async hangingUp({ server, agent, grpc }, i) {
    const { hostname, port } = new URL(server.http);
    const large = this.models.same('echo', 100_000, i);
    const slow = this.models.same('slow', 2, i);
    const ways = [
      async () => {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => {});
        socket.write('POST /v2/models/echo/infer HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\n\r\n{"inputs": [');
        await after(random() * 30);
        socket.destroy();
      },
      () =>
        new Promise((resolve) => {
          const { headers, body } = bodyOf(large, true);
          const socket = connect(Number(port), hostname);
          socket.on('error', resolve).on('close', resolve);
          const lines = Object.entries({ host: 'x', 'content-length': body.length, ...headers }).map(
            ([name, v]) => `${name}: ${v}\r\n`,
          );
          socket.write(`POST /v2/models/echo/infer HTTP/1.1\r\n${lines.join('')}\r\n`);
          socket.write(body);
          socket.once('data', () => socket.destroy());
        }),
      async () => {
        const onRequest = (asked) => setTimeout(() => asked.destroy(), 5 + random() * 40);
        await askHttp(server.http, slow, { binary: true, agent, onRequest }).catch(() => {});
      },
      async () => {
        await askGrpc(grpc, pick([slow, large]), (made) => setTimeout(() => made.cancel(), random() * 40));
      },
      async () => {
        const own = grpcClient(server.grpc);
        const stream = own.ModelStreamInfer();
        const first = new Promise((resolve) => stream.on('data', resolve).on('error', resolve).on('end', resolve));
        for (let n = 0; n < 4; n++) stream.write(messageOf(this.models.sums(n)));
        await first;
        if (random() < 0.5) stream.cancel();
        else stream.end();
        own.close();
      },
      async () => {
        const session = connectHttp2(`http://${server.grpc}`);
        session.on('error', () => {});
        const path = '/inference.GRPCInferenceService/ModelInfer';
        const asked = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
        asked.on('error', () => {});
        // A message of 100 bytes, of which 10 come.
        asked.write(Buffer.from([0, 0, 0, 0, 100, ...new Array(10).fill(8)]));
        await after(random() * 30);
        session.destroy();
      },
      async () => {
        const [host, own] = server.grpc.split(':');
        const socket = connect(Number(own), host);
        socket.on('error', () => {});
        socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
        await after(random() * 30);
        socket.destroy();
      },
    ];
    await ways[i % ways.length]();
    this.seen.hungUp += 1;
  }

  /** What is refused, each with its status. */
  async malformed({ server, agent, grpc }, i) {
    const x = { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] };
    const http =
      (status, path, body, headers = {}, method = 'POST') =>
      async () => {
        const reply = await send(server.http, { path, method, headers, body, agent });
        return [reply.status, status];
      };
    const echo = '/v2/models/echo/infer';
    const rpc = (status, method, message) => async () => [(await call(grpc, method, message)).status, status];
    const infer = (status, message) => rpc(status, 'ModelInfer', message);
    const asked = messageOf(this.models.same('echo', 1, 0));
    const cases = [
      http(400, echo, '{'),
      http(400, echo, 'x'.repeat(1000)),
      http(400, echo, JSON.stringify({ inputs: [{ ...x, shape: [1, 3] }] })),
      http(400, echo, JSON.stringify({ inputs: [x] }), { 'inference-header-content-length': '9' }),
      http(400, echo, JSON.stringify({ inputs: [{ ...x, data: [1, 'x'] }] })),
      http(404, '/v2/models/nope/infer', '{}'),
      http(413, echo, Buffer.alloc(maxBytes + 1)),
      http(413, echo, gzipSync(Buffer.alloc(8 * maxBytes)), { 'content-encoding': 'gzip' }),
      http(400, echo, 'no gzip', { 'content-encoding': 'gzip' }),
      http(431, echo, '{}', { 'x-long': 'a'.repeat(20_000) }),
      http(405, echo, undefined, {}, 'GET'),
      http(403, echo, '{}', { origin: 'http://example.com' }),
      async () => [await this.garbage(server.http), 400],
      infer(3, { ...asked, inputs: [{ ...asked.inputs[0], shape: [3] }] }),
      infer(3, { ...asked, raw_input_contents: [Buffer.alloc(5)] }),
      infer(5, { ...asked, model_name: 'nope' }),
      infer(8, { ...asked, raw_input_contents: [Buffer.alloc(maxBytes + 1)] }),
      rpc(12, 'RepositoryModelLoad', { model_name: 'echo', parameters: { config: { string_param: '{}' } } }),
    ];
    const begun = performance.now();
    const at = i % cases.length;
    const [found, expected] = await cases[at]().catch((error) => [error.message]);
    if (found === expected) this.seen.malformed += 1;
    // A client that still writes what is too large may be cut off before it reads.
    else if (/EPIPE|ECONNRESET/.test(String(found)) && [6, 9].includes(at)) this.seen.malformed += 1;
    else if (server.ending === undefined || begun < server.ending - arrived)
      this.seen.problem('unexpected', `malformed ${at}: ${found}, expected ${expected}`);
  }

  /** The status of an answer to bytes that are no HTTP. */
  garbage(base) {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(base);
      const socket = connect(Number(port), hostname, () => socket.write('\x16\x03\x01 what is this\r\n\r\n'));
      let said = '';
      socket.on('data', (chunk) => {
        said += chunk;
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(Number(/^HTTP\/1.1 (\d+)/.exec(said)?.[1])));
    });
  }

  /** How many requests of a model a server has taken, by its metrics. */
  async arrivedAt({ metrics }, model) {
    const { bytes } = await send(metrics, { path: '/metrics', method: 'GET', headers: { connection: 'close' } });
    const counted = new RegExp(
      `^nv_inference_(?:pending_request_count|request_success|request_failure)\\{model="${model}",.*\\} (\\d+)$`,
      'gm',
    );
    return [...bytes.toString().matchAll(counted)].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** Sends what takes long, and a body whose second half comes after SIGTERM: all of it is accepted, and must be answered. */
  async underWay(server) {
    const connected = new Connected(server);
    const ways = ['json', 'binary', 'grpc', 'binary', 'grpc'];
    const before = await this.arrivedAt(server, 'last');
    const all = ways.map((way, i) => this.known(connected, way, this.models.same('last', way === 'json' ? 100 : 300, i)));
    const half = this.models.same('echo', 1000, 5);
    const { headers, body } = bodyOf(half, true);
    let begun;
    const rest = new Promise((resolve) => {
      begun = resolve;
    });
    const late = new Promise((resolve, reject) => {
      const { hostname, port } = new URL(server.http);
      const socket = connect(Number(port), hostname);
      let said = Buffer.alloc(0);
      socket.on('data', (chunk) => {
        said = Buffer.concat([said, chunk]);
      });
      socket.on('error', reject).on('close', () => resolve(said));
      const lines = Object.entries({ host: 'x', 'content-length': body.length, ...headers }).map(
        ([name, v]) => `${name}: ${v}\r\n`,
      );
      socket.write(`POST /v2/models/echo/infer HTTP/1.1\r\n${lines.join('')}\r\n`);
      socket.write(body.subarray(0, 1000));
      void rest.then(() => socket.write(body.subarray(1000)));
    });
    // All of them are there.
    while ((await this.arrivedAt(server, 'last')) < before + ways.length) await after(10);
    await after(arrived);
    return {
      /** The second half; resolves once all are answered. */
      finish: async () => {
        await after(100);
        begun();
        const said = await late.catch((error) => Buffer.from(error.message));
        if (/^HTTP\/1.1 200 /.test(said.toString('latin1')) && said.subarray(-4000).equals(body.subarray(-4000)))
          this.seen.answered += 1;
        else this.seen.problem('lost', `a body that was half there at SIGTERM: ${said.toString('latin1').slice(0, 200)}`);
        await Promise.all(all);
        connected.close();
      },
    };
  }
}
