// Loaded before a command (node --import): makes one of its writing calls to the file system the last one, or the first that finds a full disk.
//   PROGNET_FAULT=count:FILE    appends the name of each writing call to FILE, as the command goes
//   PROGNET_FAULT=kill:K        SIGKILL before the K-th call; a write gives half its bytes first
//   PROGNET_FAULT=full:K        from the K-th call on, what takes space fails with ENOSPC; a write gives half its bytes first
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [mode, argument = ''] = (process.env.PROGNET_FAULT ?? '').split(/:(.*)/s);
/** Calls that change the disk; of these, those that need space. */
const takesSpace = [
  'writeSync',
  'writeFileSync',
  'appendFileSync',
  'mkdirSync',
  'mkdtempSync',
  'linkSync',
  'symlinkSync',
  'copyFileSync',
  'cpSync',
];
const calls = [
  ...takesSpace,
  'openSync',
  'renameSync',
  'rmSync',
  'rmdirSync',
  'unlinkSync',
  'fsyncSync',
  'fchmodSync',
  'chmodSync',
  'truncateSync',
  'ftruncateSync',
];
const original = Object.fromEntries(calls.map((name) => [name, fs[name]]));
const { appendFileSync } = fs;
let seen = 0;
/** Node's own functions call each other by the same names: only the outermost counts. */
let within = false;

function creates(name, args) {
  if (name !== 'openSync') return true;
  return typeof args[1] === 'string' && /[wa]/.test(args[1]);
}

/** The bytes of a write that come to the disk before the fault. */
function half(name, args) {
  if (name !== 'writeSync' || !ArrayBuffer.isView(args[1])) return;
  const [fd, bytes, offset = 0, length = bytes.byteLength - offset] = args;
  if (length > 1) original.writeSync(fd, bytes, offset, length >> 1);
}

function fault(name, args) {
  if (mode === 'count') appendFileSync(argument, `${name}\n`);
  if (mode === 'kill' && seen === Number(argument)) {
    half(name, args);
    process.kill(process.pid, 'SIGKILL');
  }
  if (mode === 'full' && seen >= Number(argument) && (takesSpace.includes(name) || name === 'openSync')) {
    half(name, args);
    throw Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), { code: 'ENOSPC', errno: -28 });
  }
}

for (const name of calls) {
  fs[name] = (...args) => {
    // What goes to a terminal or a pipe is no file.
    if (within || !creates(name, args) || (name === 'writeSync' && args[0] <= 2)) return original[name](...args);
    within = true;
    try {
      seen++;
      fault(name, args);
      return original[name](...args);
    } finally {
      within = false;
    }
  };
}
syncBuiltinESMExports();
