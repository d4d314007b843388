// Models that each have a session of their own in every worker thread.
import type { LoadedModel, ModelMaker } from './repository.js';
import { type Answer, type Ask, type ServedModel, ServeError, type Tensors } from './served-model.js';
import type { FoundModel, ReadModel } from './sources/read-sources.js';
import type { Calls } from './workers/calls.js';
import type { Pool } from './workers/pool.js';
import type { Line, Scheduler } from './workers/scheduler.js';

/** How models are run. */
export interface RunOptions {
  readonly maxBatch: number;
  readonly batchDelayMicroseconds: number;
  readonly maxWaiting: number;
  /** Of one run; each worker runs one at a time. */
  readonly threads: number;
  readonly providers: readonly string[];
}

/** A model with its sessions. */
class SessionModel implements LoadedModel {
  readonly version = '1';
  constructor(
    readonly name: string,
    readonly stamp: string,
    private readonly line: Line,
    readonly inputs: ServedModel['inputs'],
    readonly outputs: ServedModel['outputs'],
    readonly facts: ServedModel['facts'],
    private readonly giveBack: () => Promise<void>,
  ) {}

  get maxBatch(): number {
    return this.line.options.maxBatch;
  }
  get batchDelayMicroseconds(): number {
    return this.line.options.delayMicroseconds;
  }
  get pending(): number {
    return this.line.pending;
  }
  infer(inputs: Tensors, ask: Ask): Promise<Answer> {
    return this.line.ask(inputs, ask);
  }
  async release(): Promise<void> {
    await this.line.empty();
    await this.giveBack();
  }
}

export class SessionModels implements ModelMaker {
  readonly outlive = true;

  constructor(
    private readonly reader: Calls,
    private readonly pool: Pool,
    private readonly scheduler: Scheduler,
    private readonly options: RunOptions,
  ) {}

  async find(): Promise<readonly FoundModel[]> {
    return (await this.reader.call('find', undefined)) as readonly FoundModel[];
  }

  async make({ name, stamp }: FoundModel): Promise<LoadedModel> {
    const read = (await this.reader.call('read', name)) as ReadModel | undefined;
    if (read === undefined) throw new ServeError('not-found', `model '${name}' is gone`);
    const { bytes, weightsFolder, inputs, outputs, facts } = read;
    const { threads, providers, batchDelayMicroseconds, maxWaiting } = this.options;
    const maxBatch = read.joins ? this.options.maxBatch : 0;
    const session = await this.pool.load({
      model: bytes,
      threads,
      providers,
      ...(weightsFolder !== undefined && { weightsFolder }),
    });
    const line = this.scheduler.open({ session, maxBatch, delayMicroseconds: batchDelayMicroseconds, maxWaiting });
    return new SessionModel(name, stamp, line, inputs, outputs, facts, () => {
      this.scheduler.close(line);
      return this.pool.unload(session);
    });
  }
}
