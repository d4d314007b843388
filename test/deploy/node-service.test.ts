// The service of `prognet deploy node` under load, over real sockets: bounds on bytes, values, depth, connections and time, and an orderly end.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { prognet, repo, workspace } from '../cli/support.js';

let folder = '';
beforeAll(() => {
  const dir = workspace();
  expect(prognet('train', 'a', '--freeze', '--quiet', '-C', dir).status).toBe(0);
  folder = join(dir, 'service');
  expect(prognet('deploy', 'node', '-o', folder, '--tasks', 'a', '-C', dir).status).toBe(0);
  symlinkSync(join(repo, 'node_modules'), join(folder, 'node_modules'));
});

interface Service {
  readonly child: ChildProcess;
  readonly port: number;
  readonly log: () => string;
  readonly ended: Promise<number | null>;
}
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

async function start(settings: Record<string, string> = {}): Promise<Service> {
  const env = { ...process.env, PORT: '0', THREADS: '1', ...settings };
  const child = spawn('node', ['server.mjs'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let log = '';
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const port = await new Promise<number>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      log += chunk;
      const found = /listening on port (\d+): a\n/.exec(log)?.[1];
      if (found !== undefined) resolve(Number(found));
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.on('close', () => reject(new Error(log)));
  });
  return { child, port, log: () => log, ended };
}

/** A connection with all that came over it; `failed` is the error that ended it. */
class Client {
  text = '';
  failed: string | undefined;
  readonly socket: Socket;
  readonly closed: Promise<void>;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk) => {
      this.text += chunk;
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.failed = error.code;
    });
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()));
  }

  send(text: string): this {
    this.socket.write(text);
    return this;
  }

  async hears(pattern: RegExp): Promise<void> {
    await expect.poll(() => this.text, { timeout: 20_000 }).toMatch(pattern);
  }
}

const head = (length: number, more = '') =>
  `POST /predict/a HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n${more}\r\n`;
const post = (body: string, more = '') => head(Buffer.byteLength(body), more) + body;
const one = '{"inputs": [[1, 2, 3, 4]]}';
const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;

async function answerTo(port: number, request: string): Promise<string> {
  const client = new Client(port).send(request);
  await client.hears(/\r\n\r\n[\s\S]*\}\n$/);
  client.socket.destroy();
  expect(client.failed).toBeUndefined();
  return client.text;
}

/** Most memory that the process ever held, in MB. */
const peak = ({ child }: Service) =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;

describe('a request', () => {
  it('for a path that is none is 404', async () => {
    const { port, log } = await start();
    for (const path of ['//', '//predict/a', '/\\', 'http://', 'http://x/nothing', '/predict/%', '/predict/a/b', '*'])
      expect(await answerTo(port, get(path)), path).toMatch(/^HTTP\/1\.1 404 /);
    expect(await answerTo(port, get('http://x/health?y'))).toMatch(/^HTTP\/1\.1 200 /);
    expect(log()).toBe(`listening on port ${port}: a\n`);
  });

  it('of 8 MB of opening brackets is refused at once', async () => {
    const service = await start();
    for (const [body, error] of [
      ['['.repeat(8e6), 'expected {\\"inputs\\": [...]}, a list of samples, and nothing beside it'],
      [`{"inputs": ${'['.repeat(8e6)}`, '\\"inputs\\" is nested over 16 levels'],
    ] as const) {
      const started = performance.now();
      const text = await answerTo(service.port, post(body));
      expect(text).toMatch(/^HTTP\/1\.1 400 /);
      expect(text).toContain(`{"error":"${error}"}`);
      expect(performance.now() - started).toBeLessThan(1500);
    }
  });

  it('with a body that does not fit is 400', async () => {
    const { port } = await start();
    const bodies: [string, string][] = [
      ['{"inputs": [[1, 2], 3]}', '"inputs" must be numbers in lists'],
      ['{"inputs": [1, [2]]}', '"inputs" must be numbers in lists'],
      ['{"inputs": [[[1]], []]}', '"inputs" must be lists of one length at each depth'],
      ['{"inputs": [[1, 2, 3, 4]], "more": 1}', 'expected {"inputs": [...]}, a list of samples, and nothing beside it'],
      ['{"input": [[1, 2, 3, 4]]}', 'expected {"inputs": [...]}, a list of samples, and nothing beside it'],
      ['{"inputs": 3}', 'expected {"inputs": [...]}, a list of samples, and nothing beside it'],
      ['{}', 'expected {"inputs": [...]}, a list of samples, and nothing beside it'],
      ['', 'expected {"inputs": [...]}, a list of samples, and nothing beside it'],
      ['{"inputs": [01]}', 'the body is no JSON'],
      ['{"inputs": [1,]}', 'the body is no JSON'],
      ['{"inputs": [,1]}', 'the body is no JSON'],
      ['{"inputs": [1 2]}', 'the body is no JSON'],
      ['{"inputs": [+1]}', 'the body is no JSON'],
      ['{"inputs": [.5]}', 'the body is no JSON'],
      ['{"inputs": [NaN]}', 'the body is no JSON'],
      ['{"inputs": [[1, 2, 3, 4]]} x', 'the body is no JSON'],
      ['{"inputs": [[1, 2, 3, 4]]', 'the body is no JSON'],
      [`{"inputs": [[${'1'.repeat(129)}, 2, 3, 4]]}`, 'a number of over 128 characters'],
    ];
    for (const [body, error] of bodies) {
      const text = await answerTo(port, post(body));
      expect(text, body).toMatch(/^HTTP\/1\.1 400 /);
      expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toEqual({ error });
    }
  });

  it('is read the same in pieces of any size', async () => {
    const { port } = await start();
    const body = ' {\n"inputs" : [ [1.5e0, -2E+1 ,0.003,4] , [ 12345678901234567890, -0, 1e-400, 7 ] ] }\t';
    const whole = await answerTo(port, post(body));
    expect(whole).toMatch(/^HTTP\/1\.1 200 /);
    const client = new Client(port);
    client.socket.setNoDelay(true);
    client.send(head(body.length));
    for (const character of body) {
      client.send(character);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await client.hears(/\}\n$/);
    const answerOf = (text: string) => text.slice(text.indexOf('\r\n\r\n'));
    expect(answerOf(client.text)).toBe(answerOf(whole));
    client.socket.destroy();
  });

  it('of 15 MB takes little memory, refused or answered', async () => {
    const service = await start({ MAX_ROWS: '100000' });
    await answerTo(service.port, post(one));
    const before = peak(service);
    const many = `{"inputs": [${'1,'.repeat(7.5e6)}1]}`;
    expect(await answerTo(service.port, post(many))).toContain('found over 100000 samples, expected at most 100000 (MAX_ROWS)');
    expect(peak(service) - before).toBeLessThan(60);
    const long = `0.${'12345'.repeat(7)}`;
    const sample = `[${[long, long, long, long]}]`;
    const full = `{"inputs": [${Array(99_000).fill(sample)}]}`;
    expect(full.length).toBeGreaterThan(14e6);
    expect((await answerTo(service.port, post(full))).slice(0, 200)).toMatch(/^HTTP\/1\.1 200 /);
    expect(peak(service) - before).toBeLessThan(250);
  });

  it('that is refused before it is all there sees its answer, and no reset', async () => {
    const { port } = await start({ MAX_BYTES: '1000' });
    const client = new Client(port).send(head(3e7));
    for (let i = 0; i < 30; i++) client.send(' '.repeat(1e6));
    await client.hears(/^HTTP\/1\.1 413 [\s\S]*connection: close[\s\S]*\(MAX_BYTES\)"\}\n$/i);
    await client.closed;
    expect(client.failed).toBeUndefined();
    // The same where no length was said.
    const chunked = new Client(port).send(
      'POST /predict/a HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    for (let i = 0; i < 20; i++) chunked.send(`64\r\n${' '.repeat(100)}\r\n`);
    await chunked.hears(/^HTTP\/1\.1 413 /);
    await chunked.closed;
    expect(chunked.failed).toBeUndefined();
  });
});

describe('bounds over all requests', () => {
  it('on bytes under way: 503 and Retry-After, until they are answered', async () => {
    const { port } = await start({ MAX_BYTES: '4000', MAX_PENDING_BYTES: '4000' });
    const padded = (length: number) => one + ' '.repeat(length - one.length);
    const slow = new Client(port).send(head(3000) + padded(2900));
    await expect
      .poll(() => answerTo(port, post(padded(1200))))
      .toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 1\r\n[\s\S]*MAX_PENDING_BYTES/i);
    expect(await answerTo(port, post(one))).toMatch(/^HTTP\/1\.1 200 /);
    slow.send(' '.repeat(100));
    await slow.hears(/^HTTP\/1\.1 200 [\s\S]*\}\n$/);
    slow.socket.destroy();
    expect(await answerTo(port, post(padded(4000)))).toMatch(/^HTTP\/1\.1 200 /);
    // One that went away leaves nothing behind.
    const gone = new Client(port).send(head(3900) + padded(3800));
    await expect.poll(() => answerTo(port, post(padded(1200)))).toMatch(/^HTTP\/1\.1 503 /);
    gone.socket.destroy();
    await expect.poll(() => answerTo(port, post(padded(4000)))).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('on bytes that are announced: refused before any of them comes, and counted as they come where no length is said', async () => {
    const { port } = await start({ MAX_BYTES: '4000', MAX_PENDING_BYTES: '4000' });
    const large = new Client(port).send(head(4001));
    await large.hears(/^HTTP\/1\.1 413 [\s\S]*\(MAX_BYTES\)"\}\n$/);
    large.socket.destroy();
    const slow = new Client(port).send(head(3000) + one + ' '.repeat(2900 - one.length));
    // Nothing of the body is sent: the answer comes of its length alone.
    await expect
      .poll(async () => {
        const client = new Client(port).send(head(1200));
        await new Promise((resolve) => setTimeout(resolve, 200));
        client.socket.destroy();
        return client.text;
      })
      .toMatch(/^HTTP\/1\.1 503 [\s\S]*MAX_PENDING_BYTES/);
    const chunked = new Client(port).send(
      'POST /predict/a HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    for (let i = 0; i < 12; i++) chunked.send(`64\r\n${' '.repeat(100)}\r\n`);
    await chunked.hears(/^HTTP\/1\.1 503 [\s\S]*MAX_PENDING_BYTES/);
    for (const client of [slow, chunked]) client.socket.destroy();
  });

  it('on connections that are told so: beyond 64 more they are dropped without a word', async () => {
    const { port, log } = await start({ MAX_CONNECTIONS: '1' });
    const told = Array.from({ length: 65 }, () => new Client(port));
    for (const { socket } of told) if (socket.connecting) await new Promise((resolve) => socket.once('connect', resolve));
    const dropped = new Client(port).send(get('/health'));
    await dropped.closed;
    expect(dropped.text).toBe('');
    told[64]?.send(get('/health'));
    await told[64]?.hears(/^HTTP\/1\.1 503 [\s\S]*MAX_CONNECTIONS/);
    for (const client of told) client.socket.destroy();
    await expect.poll(() => answerTo(port, get('/health'))).toMatch(/^HTTP\/1\.1 200 /);
    expect(log()).toBe(`listening on port ${port}: a\n`);
  });

  it('on connections: 503 and Retry-After, until one is closed', async () => {
    const { port, log } = await start({ MAX_CONNECTIONS: '3' });
    const open = Array.from({ length: 3 }, () => new Client(port).send(get('/health')));
    for (const client of open) await client.hears(/^HTTP\/1\.1 200 /);
    const surplus = new Client(port).send(post(one));
    await surplus.hears(
      /^HTTP\/1\.1 503 [\s\S]*connection: close\r\nretry-after: 1\r\n[\s\S]*3 connections are open \(MAX_CONNECTIONS\)/i,
    );
    await surplus.closed;
    open[0]?.socket.destroy();
    await expect.poll(() => answerTo(port, get('/health'))).toMatch(/^HTTP\/1\.1 200 /);
    for (const client of open) client.socket.destroy();
    expect(log()).toBe(`listening on port ${port}: a\n`);
  });

  it('on time: headers and bodies that do not come end in 408, when they should', async () => {
    const { port } = await start({ HEADERS_MS: '500', REQUEST_MS: '1500' });
    const started = performance.now();
    const headers = new Client(port).send('POST /predict/a HTTP/1.1\r\nhost:');
    const body = new Client(port).send(head(100));
    await headers.closed;
    expect(headers.text).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - started).toBeLessThan(2500);
    await body.closed;
    expect(body.text).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - started).toBeLessThan(4000);
  });
});

describe('SIGTERM', () => {
  it('answers what is on its way with connection: close, resets nothing and ends with 0', async () => {
    const { child, port, ended, log } = await start();
    const half = new Client(port).send(head(one.length) + one.slice(0, 10));
    const idle = new Client(port).send(get('/health'));
    const silent = new Client(port);
    await idle.hears(/^HTTP\/1\.1 200 [\s\S]*\}\n$/);
    expect(idle.text).toMatch(/connection: keep-alive/i);
    // Clients that ask again and again, each over one connection, until they are told that it was the last.
    const asked = Array.from({ length: 8 }, async () => {
      const client = new Client(port);
      for (let answers = 1; ; answers++) {
        client.send(post(one));
        await expect.poll(() => client.text.split('HTTP/1.1 200 ').length - 1, { interval: 1 }).toBe(answers);
        await expect.poll(() => client.text, { interval: 1 }).toMatch(/\}\n$/);
        if (/connection: close/i.test(client.text)) return client;
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 100));
    // On a connection from before, on a new one, and two requests at once.
    idle.send(post(one));
    const fresh = new Client(port).send(post(one));
    const two = new Client(port).send(post(one) + post(one));
    const clients = [idle, fresh, two, silent, ...(await Promise.all(asked))];
    for (const client of clients) await client.closed;
    half.send(one.slice(10));
    await half.closed;
    for (const client of [...clients, half]) expect(client.failed).toBeUndefined();
    expect(silent.text).toBe('');
    for (const client of [fresh, half]) expect(client.text).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*\}\n$/i);
    expect(idle.text.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
    expect(idle.text).toMatch(/connection: close/i);
    expect(two.text.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
    expect(two.text.match(/connection: close/gi)).toHaveLength(1);
    expect(await ended).toBe(0);
    expect(log()).toBe(`listening on port ${port}: a\n`);
  });
});

describe('what goes wrong in the service is one line', () => {
  const refuses = (settings: Record<string, string>, where = folder) => {
    const found = spawnSync('node', ['server.mjs'], {
      cwd: where,
      env: { ...process.env, PORT: '0', ...settings },
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(found.status).toBe(1);
    expect(found.stdout).toBe('');
    return found.stderr;
  };

  it('in the environment', () => {
    expect(refuses({ PORT: 'x' })).toBe('prognet-service: PORT: found "x", expected a whole number\n');
    expect(refuses({ MAX_ROWS: '0' })).toBe('prognet-service: MAX_ROWS: found "0", expected a whole number of at least 1\n');
    expect(refuses({ MAX_BYTES: '100', MAX_PENDING_BYTES: '99' })).toBe(
      'prognet-service: MAX_PENDING_BYTES: found "99", expected a whole number of at least 100\n',
    );
    expect(refuses({ PORT: '70000' })).toMatch(/^prognet-service: .*65536.*\n$/);
  });

  it('on a port that is taken', async () => {
    const { port } = await start();
    expect(refuses({ PORT: String(port) })).toMatch(/^prognet-service: .*EADDRINUSE.*\n$/);
  });

  it('in its files', () => {
    const broken = `${folder}-broken`;
    cpSync(folder, broken, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(broken, 'models/a.onnx'), 'no model');
    expect(refuses({}, broken)).toMatch(/^prognet-service: models\/a\.onnx: .*\n$/);
    rmSync(join(broken, 'models/a.onnx'));
    expect(refuses({}, broken)).toMatch(/^prognet-service: models\/a\.onnx: .*\n$/);
    writeFileSync(join(broken, 'tasks.json'), '{');
    expect(refuses({}, broken)).toMatch(/^prognet-service: tasks\.json: .*\n$/);
    rmSync(join(broken, 'node_modules'));
    expect(refuses({}, broken)).toMatch(/^prognet-service: onnxruntime-node cannot be loaded, run npm ci: .*\n$/);
  });

  it('at a request that the runtime refuses, and the client learns nothing of it', async () => {
    const { port, log } = await start();
    expect(await answerTo(port, get('/health'))).toMatch(/^HTTP\/1\.1 200 /);
    const text = readFileSync(join(folder, 'tasks.json'), 'utf8');
    writeFileSync(join(folder, 'tasks.json'), text.replace('"name": "x"', '"name": "y"'));
    try {
      const other = await start();
      const answer = await answerTo(other.port, post(one));
      expect(answer).toMatch(/^HTTP\/1\.1 500 [\s\S]*\{"error":"internal error"\}\n$/);
      expect(other.log()).toMatch(/^listening on port \d+: a\nprognet-service: POST \/predict\/a: .*\n$/);
    } finally {
      writeFileSync(join(folder, 'tasks.json'), text);
    }
    expect(log()).toBe(`listening on port ${port}: a\n`);
  });

  it('listens on this machine alone unless told otherwise', async () => {
    const { port } = await start();
    const listening = readFileSync('/proc/net/tcp', 'utf8');
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    expect(listening).toContain(`0100007F:${hex} 00000000:0000 0A`);
    expect(listening).not.toContain(`00000000:${hex} 00000000:0000 0A`);
  });
});
