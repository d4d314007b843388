// What was asked of each model and how long it took, as Triton's statistics extension and its metrics count it. Durations are nanoseconds, sums over requests.
import type { Answer, FaultKind, ServedModel } from './served-model.js';

/** So many times, so long together. */
export interface Duration {
  count: number;
  ns: number;
}

const none = (): Duration => ({ count: 0, ns: 0 });

function add(duration: Duration, ns: number): void {
  duration.count += 1;
  duration.ns += ns;
}

/** Triton's names for why a request failed. */
const reasons: Partial<Record<FaultKind, string>> = { unavailable: 'REJECTED', cancelled: 'CANCELED', internal: 'BACKEND' };

/** Runs of one batch size. */
export interface BatchStatistics {
  readonly compute_input: Duration;
  readonly compute_infer: Duration;
  readonly compute_output: Duration;
}

export class ModelStatistics {
  /** Milliseconds since 1970. */
  lastInference = 0;
  /** Rows. */
  inferences = 0;
  /** Runs of the model. */
  executions = 0;
  readonly success = none();
  readonly fail = none();
  readonly queue = none();
  readonly computeInput = none();
  readonly computeInfer = none();
  readonly computeOutput = none();
  /** Requests that failed, by Triton's name of the reason. */
  readonly failures: Record<string, number> = { REJECTED: 0, CANCELED: 0, BACKEND: 0, OTHER: 0 };
  readonly batches = new Map<number, BatchStatistics>();

  constructor(
    readonly name: string,
    readonly version: string,
  ) {}

  answered({ spent, batch, first }: Answer, rows: number, ns: number): void {
    this.lastInference = Date.now();
    this.inferences += rows;
    add(this.success, ns);
    add(this.queue, spent.queue);
    add(this.computeInput, spent.input);
    add(this.computeInfer, spent.infer);
    add(this.computeOutput, spent.output);
    if (!first) return;
    this.executions += 1;
    const own = this.batches.get(batch) ?? { compute_input: none(), compute_infer: none(), compute_output: none() };
    this.batches.set(batch, own);
    add(own.compute_input, spent.input);
    add(own.compute_infer, spent.infer);
    add(own.compute_output, spent.output);
  }

  failed(kind: FaultKind, ns: number): void {
    add(this.fail, ns);
    const reason = reasons[kind] ?? 'OTHER';
    this.failures[reason] = (this.failures[reason] ?? 0) + 1;
  }
}

/** By model; they outlive what is loaded under its name. */
export class Statistics {
  private readonly models = new Map<string, ModelStatistics>();

  of({ name, version }: Pick<ServedModel, 'name' | 'version'>): ModelStatistics {
    const found = this.models.get(name) ?? new ModelStatistics(name, version);
    this.models.set(name, found);
    return found;
  }

  all(): Iterable<ModelStatistics> {
    return this.models.values();
  }
}
