// The program of both kinds of worker threads, by what they are told to be.
import { workerData } from 'node:worker_threads';
import type { Form } from '../../model/progressive/forms.js';
import type { Runtime } from '../../onnx/runtime/session.js';
import { fleetReader } from '../sources/fleet-folder.js';
import { sourceReader } from '../sources/read-sources.js';
import { answerCalls } from './calls.js';
import { batchRunner } from './run-batches.js';

/** What a thread is begun with. */
export type Role =
  | { readonly role: 'run' }
  | { readonly role: 'list'; readonly fleet: string }
  | { readonly role: 'read'; readonly places: readonly string[]; readonly forms: readonly Form[] };

export async function workerProgram(runtime: () => Promise<Runtime>): Promise<void> {
  const role = workerData as Role;
  if (role.role === 'read') answerCalls(sourceReader(role.places, role.forms));
  else answerCalls(role.role === 'list' ? fleetReader(role.fleet) : batchRunner(await runtime()));
}
