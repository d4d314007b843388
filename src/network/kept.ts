// What networks of one lineage share: taps of the last training's data, and the sessions that answers were asked of.
import type { Weights } from '../model/progressive/weights.js';
import type { Runtime, SessionOptions } from '../onnx/runtime/session.js';
import { TapCache } from '../train/taps/tap-cache.js';
import { Answerer } from './answerer.js';

/** Where a network's graphs run. */
export interface Place {
  readonly runtime: Runtime;
  readonly session?: SessionOptions | undefined;
}

/** What a network's ancestors and descendants have in common with it. */
export class Kept {
  /** Taps of the last training's data. */
  readonly taps = new TapCache();
  private readonly answerers = new Map<Runtime, Map<string, Answerer>>();
  private readonly numbers = new WeakMap<Weights, number>();
  private count = 0;

  answerer({ runtime, session }: Place): Answerer {
    const of = this.answerers.get(runtime) ?? new Map<string, Answerer>();
    this.answerers.set(runtime, of);
    const key = JSON.stringify(session ?? {});
    const answerer = of.get(key) ?? new Answerer(runtime, session);
    of.set(key, answerer);
    return answerer;
  }

  /** Frozen weights never change: a number stands for them. */
  numberOf(weights: Weights): number {
    const number = this.numbers.get(weights) ?? this.count++;
    this.numbers.set(weights, number);
    return number;
  }

  async release(): Promise<void> {
    for (const of of this.answerers.values()) for (const answerer of of.values()) await answerer.release();
  }
}
