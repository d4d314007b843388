// What the worker thread does that looks after a fleet: lists the columns of its folder, and reads one to tell whether it can be asked.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { columnFile, listFleet, readColumn, readFleet } from '../../fleet/folder.js';
import { seenOf } from '../../onnx/files/stored-file.js';
import type { Methods, Moved } from '../workers/calls.js';
import type { FoundModel } from './read-sources.js';

/** The methods of such a thread. */
export function fleetReader(folder: string): Methods {
  const fleet = readFleet(folder);
  const find = async (): Promise<Moved<readonly FoundModel[]>> => {
    const value = listFleet(folder).flatMap((name) => {
      const stat = statSync(join(folder, columnFile(name)), { throwIfNoEntry: false });
      return stat === undefined ? [] : [{ name, stamp: seenOf(stat) }];
    });
    return { value, move: [] };
  };
  const check = async (name: string): Promise<Moved<undefined>> => {
    readColumn(folder, fleet, name);
    return { value: undefined, move: [] };
  };
  return { find, check };
}
