// Who owns a lock or a temporary file: process id, its start (ids are used again), the boot, the host and the namespace that the id counts in:
// two containers may share a volume and a host name. Where /proc is absent (macOS, Windows) the id alone decides.
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
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
  /** Number of the pid namespace (pid_namespaces(7)), 0 where the system or an older prognet does not tell. */
  readonly namespace: number;
}

/** The namespace that a machine starts with (PROC_PID_INIT_INO of Linux); the numbers of others mean nothing after the boot or elsewhere. */
const initialNamespace = 4026531836;

function ownNamespace(): number {
  try {
    return Number(/\[(\d{1,15})\]/.exec(readlinkSync('/proc/self/ns/pid'))?.[1] ?? 0);
  } catch {
    return 0;
  }
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
  return {
    pid: process.pid,
    start: procStat(process.pid)?.start ?? 0,
    boot: bootId(),
    host: short(hostname()),
    namespace: ownNamespace(),
  };
}

/** True when the owner ran on a host of this name. */
export function isOnHost(owner: ProcessIdentity): boolean {
  return owner.host === short(hostname());
}

/** True when the owner's id means the same here: this host, this namespace. Of other processes nothing can be known. */
export function isLocal(owner: ProcessIdentity, namespace = ownNamespace()): boolean {
  return isOnHost(owner) && (owner.namespace === namespace || owner.namespace === 0 || namespace === 0);
}

/** False only when the owner certainly has ended: a process of another host or container counts as alive. `namespace` is the asker's. */
export function isAlive(owner: ProcessIdentity, namespace = ownNamespace()): boolean {
  if (!isLocal(owner, namespace)) return true;
  const boot = bootId();
  if (owner.boot !== boot && owner.boot !== '00000000' && boot !== '00000000') {
    // A boot ends all processes of a machine, but a container of this name may run on another one.
    return owner.namespace !== 0 && owner.namespace !== initialNamespace;
  }
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

/** `123-4567-89abcdef-01234567-4026531836`, as it stands in the names of temporary files. */
export function identityToken(owner: ProcessIdentity): string {
  return `${owner.pid}-${owner.start}-${owner.boot}-${owner.host}-${owner.namespace}`;
}

/** The owner that a token names, or undefined when it is none. */
export function parseIdentityToken(token: string): ProcessIdentity | undefined {
  const match = /^([1-9]\d{0,9})-(\d{1,15})-([0-9a-f]{8})-([0-9a-f]{8})(?:-(\d{1,15}))?$/.exec(token);
  const [, pid, start, boot, host, namespace = '0'] = match ?? [];
  if (pid === undefined || start === undefined || boot === undefined || host === undefined) return undefined;
  return { pid: Number(pid), start: Number(start), boot, host, namespace: Number(namespace) };
}
