// What the worker thread does that looks after a fleet: lists the columns of its folder and whether they fit, and reads one to tell whether it can be asked.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { checkColumn, columnFile, listFleet, readColumn, readFleet } from '../../fleet/folder.js';
import { PrognetError } from '../../onnx/core/errors.js';
import { isMachineFault } from '../../onnx/files/file-error.js';
import { seenOf } from '../../onnx/files/stored-file.js';
import type { Methods, Moved } from '../workers/calls.js';
import type { FoundModel } from './read-sources.js';

/** The methods of such a thread. */
export function fleetReader(folder: string): Methods {
  const fleet = readFleet(folder);
  let known = new Map<string, FoundModel>();
  const look = (name: string, stamp: string): FoundModel => {
    try {
      checkColumn(folder, fleet, name);
      return { name, stamp };
    } catch (error) {
      if (!(error instanceof PrognetError) || isMachineFault(error)) throw error;
      return { name, stamp, fault: error.message };
    }
  };
  const find = async (): Promise<Moved<readonly FoundModel[]>> => {
    const value = listFleet(folder).flatMap((name) => {
      const stat = statSync(join(folder, columnFile(name)), { throwIfNoEntry: false });
      if (stat === undefined) return [];
      const [stamp, before] = [seenOf(stat), known.get(name)];
      return [before?.stamp === stamp ? before : look(name, stamp)];
    });
    known = new Map(value.map((one) => [one.name, one]));
    return { value, move: [] };
  };
  const check = async (name: string): Promise<Moved<undefined>> => {
    readColumn(folder, fleet, name);
    return { value: undefined, move: [] };
  };
  return { find, check };
}
