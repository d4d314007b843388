// The columns of a fleet as models: they share the sessions of their base and one line, so that requests of many columns go together.
import { readFleet, readModel } from '../fleet/folder.js';
import { DataError, UsageError } from '../onnx/core/errors.js';
import { elementCount } from '../onnx/core/shape.js';
import { fromBinary } from '../onnx/serde/from-binary.js';
import type { LoadedModel, ModelMaker } from './repository.js';
import type { Answer, Ask, ServedModel, Tensors } from './served-model.js';
import type { RunOptions } from './session-models.js';
import { type FoundModel, specOf } from './sources/read-sources.js';
import type { Calls } from './workers/calls.js';
import type { Pool } from './workers/pool.js';
import type { Line, Scheduler } from './workers/scheduler.js';

/** How a fleet is run. */
export interface FleetOptions extends RunOptions {
  readonly folder: string;
  /** Bytes of columns' weights in memory at most, of all workers together. */
  readonly memory: number;
  readonly workers: number;
}

/** What all columns say alike. */
type Common = Pick<ServedModel, 'inputs' | 'outputs' | 'facts'>;

class FleetColumn implements LoadedModel {
  readonly version = '1';
  /** Of this column; the line has those of all. */
  pending = 0;
  constructor(
    readonly name: string,
    readonly stamp: string,
    private readonly common: Common,
    private readonly line: Line,
  ) {}

  get inputs(): ServedModel['inputs'] {
    return this.common.inputs;
  }
  get outputs(): ServedModel['outputs'] {
    return this.common.outputs;
  }
  get facts(): ServedModel['facts'] {
    return this.common.facts;
  }
  get maxBatch(): number {
    return this.line.options.maxBatch;
  }
  get batchDelayMicroseconds(): number {
    return this.line.options.delayMicroseconds;
  }
  async infer(inputs: Tensors, ask: Ask): Promise<Answer> {
    this.pending += 1;
    try {
      return await this.line.ask(inputs, ask, this.name);
    } finally {
      this.pending -= 1;
    }
  }
  /** Its weights leave the memory as others are asked for. */
  async release(): Promise<void> {}
}

export class FleetModels implements ModelMaker {
  /** Columns are read from their files again and again. */
  readonly outlive = false;

  private constructor(
    private readonly reader: Calls,
    private readonly common: Common,
    private readonly line: Line,
  ) {}

  /** Loads the base in every worker. Throws WorkspaceError, DataError, UsageError, RuntimeError in one line. */
  static async open(reader: Calls, pool: Pool, scheduler: Scheduler, options: FleetOptions): Promise<FleetModels> {
    const { folder, workers, threads, providers, maxBatch, batchDelayMicroseconds, maxWaiting } = options;
    const fleet = readFleet(folder);
    const each = 4 * fleet.weights.reduce((sum, { shape }) => sum + elementCount(shape), 0);
    const memory = Math.floor(options.memory / workers);
    if (memory < each) {
      const expected = `at least ${each * workers}`;
      const why = `a column of ${each} bytes in each of ${workers} workers`;
      throw new UsageError(`fleet_memory: found ${options.memory}, expected ${expected}: ${why}`, {
        path: 'fleet_memory',
        expected,
      });
    }
    const model = fromBinary(readModel(folder, fleet, 'required'));
    const common = {
      inputs: model.graph.inputs.filter(({ name }) => fleet.inputs.includes(name)).map(specOf),
      outputs: model.graph.outputs.map(specOf),
      facts: Object.fromEntries(model.metadata),
    };
    const joins = [...common.inputs, ...common.outputs].every(({ shape }) => shape[0] === -1);
    const session = await pool.load({ fleet: folder, memory, threads, providers });
    const line = scheduler.open({
      session,
      maxBatch: joins ? maxBatch : 0,
      delayMicroseconds: batchDelayMicroseconds,
      maxWaiting,
    });
    return new FleetModels(reader, common, line);
  }

  async find(): Promise<readonly FoundModel[]> {
    return (await this.reader.call('find', undefined)) as readonly FoundModel[];
  }

  async make({ name, stamp, fault }: FoundModel): Promise<LoadedModel> {
    if (fault !== undefined) throw new DataError(fault, { path: name });
    return new FleetColumn(name, stamp, this.common, this.line);
  }

  async check(name: string): Promise<void> {
    await this.reader.call('check', name);
  }
}
