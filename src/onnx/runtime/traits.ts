// What is true of each execution provider, a row each: what it lacks, what it likes, which options ONNX Runtime's JavaScript packages hand to it.
// Whoever builds graphs or sessions asks here. Kernels: ONNX Runtime, docs/OperatorKernels.md.

/** What the text of a provider option is turned into. */
export type OptionKind = 'integer' | 'boolean' | 'text' | 'list';

export interface ProviderTraits {
  /** Runs a Loop itself. Others hand it to the CPU, weights and all: they train by runs of one step each. */
  readonly loop: boolean;
  /** dtype in which it takes classes: int64 where it has a kernel for SoftmaxCrossEntropyLoss, else int32, which graphics processors compute on. */
  readonly classes: 'int64' | 'int32';
  /** Multiplies matrices faster than it convolves with weights that change: convolutions are to be products over images with channels last. */
  readonly channelsLast: boolean;
  /** Ops whose kernel gives fewer outputs than ONNX does, with their number: it accepts the node and fails when run. */
  readonly outputs: Readonly<Record<string, number>>;
  /** The option that takes the names of nodes for the CPU to run. */
  readonly hostNodes: 'forceCpuNodeNames' | undefined;
  /** Where a page may leave outputs for the next run (preferredOutputLocation); undefined: in the host's memory. */
  readonly outputLocation: 'gpu-buffer' | undefined;
  /** Others exist in ONNX Runtime's C API (cuda's gpu_mem_limit, arena_extend_strategy), but the packages drop them silently. */
  readonly options: Readonly<Record<string, OptionKind>>;
}

/** What holds where a row says nothing else. */
const plain: ProviderTraits = {
  loop: true,
  classes: 'int64',
  channelsLast: false,
  outputs: {},
  hostNodes: undefined,
  outputLocation: undefined,
  options: {},
};
const processor: ProviderTraits = { ...plain, channelsLast: true };
const withDevice: ProviderTraits = { ...plain, classes: 'int32', options: { deviceId: 'integer' } };

const rows: Readonly<Record<string, ProviderTraits>> = {
  cpu: processor,
  wasm: processor,
  cuda: withDevice,
  tensorrt: withDevice,
  dml: withDevice,
  coreml: { ...plain, classes: 'int32', options: { coreMlFlags: 'integer' } },
  webgpu: {
    ...plain,
    loop: false,
    classes: 'int32',
    outputs: { MaxPool: 1 },
    hostNodes: 'forceCpuNodeNames',
    outputLocation: 'gpu-buffer',
    options: {
      preferredLayout: 'text',
      validationMode: 'text',
      enableRobustness: 'boolean',
      storageBufferCacheMode: 'text',
      uniformBufferCacheMode: 'text',
      queryResolveBufferCacheMode: 'text',
      defaultBufferCacheMode: 'text',
      forceCpuNodeNames: 'list',
    },
  },
  webnn: {
    ...plain,
    loop: false,
    classes: 'int32',
    options: { deviceType: 'text', powerPreference: 'text', numThreads: 'integer' },
  },
};

/** Names that a user may ask for. */
export const providerNames: readonly string[] = Object.keys(rows);

/** The row of a provider; of one that has none, what holds in general. */
export function traitsOf(provider: string): ProviderTraits {
  return Object.hasOwn(rows, provider) ? (rows[provider] ?? plain) : plain;
}
