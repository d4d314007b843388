// Answers of gRPC on their way: the connection of a client that does not read them is ended. A window of HTTP/2 that the client never opens is the same as a socket that it never reads: nothing goes.
import type { Socket } from 'node:net';
import type { Logger } from 'pino';

/** Pings and the like are no progress. */
const least = 1024;

interface Connection {
  readonly socket: Socket;
  /** Answers that have not gone in full. */
  waiting: number;
  /** Bytes that had gone when it was last looked at. */
  gone: number;
  looking: NodeJS.Timeout | undefined;
}

export class Deliveries {
  /** By the address and port of the client. */
  private readonly connections = new Map<string, Connection>();

  constructor(
    /** Milliseconds without progress. */
    private readonly sendMs: number,
    private readonly log: Logger,
  ) {}

  /** A connection, before it is given to the server. */
  add(socket: Socket): void {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const connection: Connection = { socket, waiting: 0, gone: 0, looking: undefined };
    this.connections.set(peer, connection);
    socket.once('close', () => {
      clearInterval(connection.looking);
      if (this.connections.get(peer) === connection) this.connections.delete(peer);
    });
  }

  /** An answer begins to go to a client; what is returned is to be called, once or more, when it has gone or nobody waits for it. */
  begin(peer: string): () => void {
    const connection = this.connections.get(peer);
    if (connection === undefined) return () => {};
    if (connection.waiting === 0) this.watch(connection);
    connection.waiting += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      connection.waiting -= 1;
      if (connection.waiting === 0) clearInterval(connection.looking);
    };
  }

  /** Ends every connection; grpc-js waits for clients to close theirs. */
  end(): void {
    for (const { socket } of this.connections.values()) socket.destroy();
  }

  private watch(connection: Connection): void {
    const { socket } = connection;
    connection.gone = socket.bytesWritten;
    connection.looking = setInterval(() => {
      const { bytesWritten } = socket;
      const progress = bytesWritten - connection.gone;
      connection.gone = bytesWritten;
      if (progress >= least) return;
      clearInterval(connection.looking);
      this.log.warn({ ms: this.sendMs }, 'a client of gRPC does not read its answer, its connection is closed');
      socket.destroy();
    }, this.sendMs);
  }
}
