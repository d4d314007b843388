// Which owner of a lock or a temporary file has certainly ended: what a boot tells of a machine it does not tell of a container.
import { expect, it } from 'vitest';
import { isAlive, ownIdentity } from '../../../src/onnx/files/process-identity.js';

/** PROC_PID_INIT_INO of Linux. */
const machine = 4026531836;

it('an owner of another boot has ended, but for one in a container, which may run on another machine', () => {
  const own = ownIdentity();
  expect(isAlive(own)).toBe(true);
  const former = { ...own, boot: own.boot === 'ffffffff' ? '11111111' : 'ffffffff' };
  // Where the boot is not known, the process id decides.
  const known = own.boot !== '00000000';
  expect(isAlive({ ...former, namespace: 0 })).toBe(!known);
  expect(isAlive(former)).toBe(!known || (own.namespace !== 0 && own.namespace !== machine));
});

it('asked in a container, an owner of another boot in that namespace counts as alive: the container may have two machines', () => {
  const own = ownIdentity();
  const container = machine + 1000;
  const former = { ...own, pid: 999_999_999, namespace: container, boot: own.boot === 'ffffffff' ? '11111111' : 'ffffffff' };
  expect(isAlive(former, container)).toBe(own.boot !== '00000000');
  expect(isAlive({ ...former, boot: own.boot }, container)).toBe(false);
  // Outside of containers a boot ends everything, also a process whose number is used again.
  expect(isAlive({ ...former, pid: own.pid, namespace: machine }, machine)).toBe(own.boot === '00000000');
});

it('an owner of another host or namespace counts as alive', () => {
  const own = ownIdentity();
  expect(isAlive({ ...own, pid: 999_999_999, host: own.host === 'ffffffff' ? '11111111' : 'ffffffff' })).toBe(true);
  expect(isAlive({ ...own, pid: 999_999_999, namespace: own.namespace === 0 ? 0 : own.namespace + 1 })).toBe(own.namespace !== 0);
  expect(isAlive({ ...own, pid: 999_999_999 })).toBe(false);
});
