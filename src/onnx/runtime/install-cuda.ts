// Fetches onnxruntime-node's CUDA libraries by the package's own install script, which takes them from NuGet.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { RuntimeError } from '../core/errors.js';
import { packageFolder } from './node-package.js';

/** The line of a Node stack trace that says what happened. */
function saidBy(output: string): string {
  const lines = output.split('\n').map((line) => line.trim());
  return (
    lines.find((line) => /^(\w*Error|Error \[\w+\]): /.test(line))?.replace(/^\S+?: /, '') ?? lines.filter(Boolean).at(-1) ?? ''
  );
}

/** Runs the script; `onLine` hears its output. Throws RuntimeError that says what stopped it. */
export async function installCuda(onLine: (line: string) => void): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new RuntimeError(`onnxruntime-node has CUDA for linux x64 alone, this is ${process.platform} ${process.arch}`);
  }
  const script = join(packageFolder(), 'script', 'install.js');
  // A setting that skips the download at npm install would skip it here too.
  const { ONNXRUNTIME_NODE_INSTALL, ONNXRUNTIME_NODE_INSTALL_CUDA, ...env } = process.env;
  for (const name of Object.keys(env)) if (name.startsWith('npm_config_onnxruntime')) delete env[name];
  const child = spawn(process.execPath, [script, '--onnxruntime-node-install'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const hear = (chunk: Buffer) => {
    output += chunk;
  };
  child.stderr.on('data', hear);
  child.stdout.on('data', (chunk: Buffer) => {
    hear(chunk);
    onLine(String(chunk).trimEnd());
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code === 0) return;
  const said = saidBy(output);
  const why = /ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ECONNRESET|timed out/.test(said)
    ? `NuGet cannot be reached (${said}); run it where the network allows, or copy libonnxruntime_providers_{shared,cuda}.so beside onnxruntime-node's binary`
    : said || `exit code ${code}`;
  throw new RuntimeError(`the CUDA libraries were not installed: ${why}`);
}
