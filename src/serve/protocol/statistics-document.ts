// Statistics as Triton's extension writes them, for both protocols.
import type { ModelStatistics } from '../statistics.js';

export const statisticsDocument = (s: ModelStatistics) => ({
  name: s.name,
  version: s.version,
  last_inference: s.lastInference,
  inference_count: s.inferences,
  execution_count: s.executions,
  inference_stats: {
    success: s.success,
    fail: s.fail,
    queue: s.queue,
    compute_input: s.computeInput,
    compute_infer: s.computeInfer,
    compute_output: s.computeOutput,
    cache_hit: { count: 0, ns: 0 },
    cache_miss: { count: 0, ns: 0 },
  },
  response_stats: {},
  batch_stats: [...s.batches].sort(([a], [b]) => a - b).map(([batch_size, batch]) => ({ batch_size, ...batch })),
  memory_usage: [],
});
