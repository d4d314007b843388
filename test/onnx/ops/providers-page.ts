// The page of providers.test.ts: runs every model that it is given on one provider, each in a session of its own, and tells what came out.
import { type DType, dtypes } from '../../../src/onnx/core/dtype.js';
import { Tensor } from '../../../src/onnx/core/tensor.js';
import { browserModules } from '../../../src/onnx/runtime/browser.js';
import { WebRuntime } from '../../../src/onnx/runtime/web.js';

/** A tensor as JSON: `numbers` for all dtypes, int64 included (they are small here). */
export interface Plain {
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly numbers: readonly number[];
}
export interface Job {
  readonly op: string;
  readonly model: string;
  readonly feeds: Readonly<Record<string, Plain>>;
}
export interface Answer {
  readonly op: string;
  readonly outputs?: Readonly<Record<string, readonly number[]>>;
  readonly failed?: string;
}

const isDtype = (name: string): name is DType => name in dtypes;

function tensor({ dtype, dims, numbers }: Plain): Tensor {
  if (!isDtype(dtype)) throw new Error(`no dtype ${dtype}`);
  return Tensor.from(dtype, numbers, dims);
}

Object.assign(globalThis, {
  runOps: async (provider: string): Promise<Answer[]> => {
    const jobs = (await (await fetch('jobs.json')).json()) as Job[];
    const runtime = await WebRuntime.load(browserModules, { threads: 1 });
    const answers: Answer[] = [];
    for (const { op, model, feeds } of jobs) {
      try {
        const session = await runtime.createSession(
          Uint8Array.from(atob(model), (c) => c.charCodeAt(0)),
          { providers: [provider], threads: 1 },
        );
        const results = await session.run(Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, tensor(t)])));
        const outputs = Object.fromEntries(Object.entries(results).map(([name, t]) => [name, Array.from(t.data, Number)]));
        answers.push({ op, outputs });
        await session.release();
      } catch (error) {
        answers.push({ op, failed: String(error).split('\n')[0] ?? '' });
      }
    }
    return answers;
  },
});
