// The command that answers requests: its options and help.
import type { ServeFlags } from './commands/serve.js';
import { all, command, providerHelp } from './program.js';

/** Adds it to the program. */
export function addServing(): void {
  command('serve [models...]', 'answer requests by the Open Inference Protocol, as Triton does (docs/serve.md)', [
    'prognet serve                     the frozen tasks of the workspace here, each a model',
    'prognet serve shop digits.prognet other.onnx',
    'prognet serve models/             a folder of .onnx and .prognet files, or a model repository',
    'prognet serve --forms task,all    and one model of all tasks',
    'prognet serve --fleet fleet       the columns of a fleet, each a model, over one base (docs/fleet.md)',
    'prognet serve --config serve.yaml',
    'prognet serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem --api-key-file key',
  ])
    .option('--config <file>', 'YAML or JSON of these options, with _ for - (docs/serve.md); flags go before it')
    .option('--forms <names>', 'of networks: task, all, routed, with commas (default: task)')
    .option('--fleet <folder>', 'what export --fleet wrote: each column is a model, over one base in memory')
    .option('--fleet-memory <bytes>', "of columns' weights in memory at most, all workers together (default: 256 MiB)")
    .option('--tasks <file>', 'what samples of tasks are, as deploy node writes it: POST /predict/<task> takes them')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <n>', 'of HTTP; 0 takes any that is free (default: 8000)')
    .option('--grpc-port <n>', 'of gRPC, or none (default: 8001)')
    .option('--metrics-port <n>', 'of the metrics, or none (default: 8002)')
    .option('--workers <n>', 'threads that compute (default: one for each core)')
    .option('--threads <n>', 'threads of one run (default: 1)')
    .option('--provider <list>', `${providerHelp} (default: cpu)`)
    .option('--max-batch <n>', 'rows of one batch at most (default: 256)')
    .option('--batch-delay-us <n>', 'microseconds that a request waits for others to join its batch (default: 0)')
    .option('--max-queue <n>', 'requests that wait for one model; further ones are answered 503 (default: 256)')
    .option('--timeout-ms <n>', 'a request that waits longer is answered 503 (default: 30000)')
    .option('--max-bytes <n>', 'of a body; a larger one is answered 413 (default: 64 MiB)')
    .option('--max-header-bytes <n>', 'of the headers of a request (default: 16384)')
    .option('--max-connections <n>', 'further ones are closed (default: 1024)')
    .option('--receive-ms <n>', 'in which a request must have come (default: 30000)')
    .option('--send-ms <n>', 'without progress in sending an answer, after which its connection is closed (default: 30000)')
    .option('--poll-ms <n>', 'between looks for new and changed models; 0: none (default: 2000)')
    .option('--drain-ms <n>', 'for requests under way at SIGTERM (default: 30000)')
    .option('--tls-cert <file>', 'certificate, as PEM')
    .option('--tls-key <file>', 'its key, as PEM')
    .option('--api-key-file <file>', 'the key that clients must send')
    .option('--log-level <level>', 'least level of the lines on stderr: debug, info, warn, error, silent (default: info)')
    .action(async (models: string[], o: ServeFlags) => (await import('./commands/serve.js')).serveCommand(models, all(o)));
}
