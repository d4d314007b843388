// Who owns a lock or a temporary file: process id, its start (ids are used again), the boot and the host.
// Where /proc is absent (macOS, Windows) the id alone decides.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { errorCode } from './file-error.js';

export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot, or 0 where the system does not tell. */
  readonly start: number;
  /** The first 8 hex digits of a hash of the boot id; a reboot ends every process. 00000000 where unknown. */
  readonly boot: string;
  /** The first 8 hex digits of a hash of the host name. */
  readonly host: string;
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

function bootId(): string {
  try {
    return short(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  } catch {
    return '00000000';
  }
}

/** State letter and start of a process, from /proc/<pid>/stat (proc(5), fields 3 and 22); undefined where that cannot be read. */
function procStat(pid: number): { readonly state: string; readonly start: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the name, may hold blanks and brackets.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const start = Number(fields[19]);
    return Number.isSafeInteger(start) ? { state: fields[0] ?? '', start } : undefined;
  } catch {
    return undefined;
  }
}

/** The running process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, start: procStat(process.pid)?.start ?? 0, boot: bootId(), host: short(hostname()) };
}

/** True when the owner ran on this host. Of another host's processes nothing can be known. */
export function isLocal(owner: ProcessIdentity): boolean {
  return owner.host === short(hostname());
}

/** False only when the owner certainly has ended: a process of another host counts as alive. */
export function isAlive(owner: ProcessIdentity): boolean {
  if (!isLocal(owner)) return true;
  const boot = bootId();
  if (owner.boot !== boot && owner.boot !== '00000000' && boot !== '00000000') return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') return false;
  }
  const stat = procStat(owner.pid);
  if (stat === undefined) return true;
  if (stat.state === 'Z' || stat.state === 'X') return false;
  return owner.start === 0 || stat.start === owner.start;
}

/** `123-4567-89abcdef-01234567`, as it stands in the names of temporary files. */
export function identityToken(owner: ProcessIdentity): string {
  return `${owner.pid}-${owner.start}-${owner.boot}-${owner.host}`;
}

/** The owner that a token names, or undefined when it is none. */
export function parseIdentityToken(token: string): ProcessIdentity | undefined {
  const match = /^([1-9]\d{0,9})-(\d{1,15})-([0-9a-f]{8})-([0-9a-f]{8})$/.exec(token);
  const [, pid, start, boot, host] = match ?? [];
  if (pid === undefined || start === undefined || boot === undefined || host === undefined) return undefined;
  return { pid: Number(pid), start: Number(start), boot, host };
}
