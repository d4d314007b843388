// Where a provider's nodes run: those that it lacks go to the CPU silently. ONNX Runtime says so in its verbose log alone, which is native
// output: so the session is made in a child process, and its log read.

import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { RuntimeError } from '../core/errors.js';
import { withoutBuildPaths } from './build-path.js';

export interface Placement {
  /** Nodes by ONNX Runtime's own name of the provider, `CPUExecutionProvider`, those of subgraphs included. */
  readonly nodes: Readonly<Record<string, number>>;
  /** The nodes that fell back to the CPU, as `Op (name)`; empty for the CPU itself. */
  readonly fellBack: readonly string[];
}

/** Makes a session of the model in a file, beside which its data may lie; a failure is the last line of stdout. */
const child = `
import ort from 'onnxruntime-node';
try {
  await ort.InferenceSession.create(process.argv[2], { ...JSON.parse(process.argv[1]), logSeverityLevel: 0 });
} catch (error) {
  process.stdout.write('refused ' + String(error.message).split('\\n')[0] + '\\n');
}
`;

/**
 * Reads the log's blocks: ` All nodes placed on [X]. Number of nodes: 3`, or ` Node(s) placed on [X]. Number of nodes: 3` with one line
 * `  Op (name)` for each. A graph and each of its subgraphs have a block.
 */
export function readPlacement(log: string, provider: string): Placement {
  const nodes: Record<string, number> = {};
  const fellBack: string[] = [];
  let at = '';
  for (const line of log.split('\n')) {
    const message = /VerifyEachNodeIsAssignedToAnEp\] ?(.*)/.exec(line)?.[1];
    if (message === undefined) continue;
    const [, all, name, count] = /^\s*(All nodes|Node\(s\)) placed on \[(\w+)\]\. Number of nodes: (\d+)/.exec(message) ?? [];
    if (name !== undefined) {
      at = name;
      nodes[name] = (nodes[name] ?? 0) + Number(count);
      if (all === 'All nodes' && provider !== 'cpu' && name === 'CPUExecutionProvider')
        fellBack.push(`${count} nodes of one graph`);
      continue;
    }
    const node = /^\s+(\S+ \(.*\))\s*$/.exec(message)?.[1];
    if (node !== undefined && provider !== 'cpu' && at === 'CPUExecutionProvider') fellBack.push(node);
  }
  return { nodes, fellBack };
}

/** Places the nodes of the model in a file on a provider of onnxruntime-node. Throws RuntimeError when it is refused. */
export async function placementOf(file: string, provider: string): Promise<Placement> {
  const options = JSON.stringify({ executionProviders: [provider], graphOptimizationLevel: 'all', intraOpNumThreads: 1 });
  const ran = spawn(process.execPath, ['--input-type=module', '-e', child, options, resolve(file)], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const hear = (chunk: Buffer) => {
    output += chunk;
  };
  ran.stdout.on('data', hear);
  ran.stderr.on('data', hear);
  await new Promise<void>((ended, reject) => {
    ran.on('error', reject);
    ran.on('close', () => ended());
  });
  const refused = /^refused (.*)$/m.exec(output)?.[1];
  if (refused !== undefined) throw new RuntimeError(`${provider}: ${withoutBuildPaths(refused)}`);
  const placement = readPlacement(output, provider);
  if (Object.keys(placement.nodes).length > 0) return placement;
  throw new RuntimeError(`${provider}: ONNX Runtime did not say where the model's nodes run`);
}
