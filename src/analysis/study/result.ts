// What a study found, as study.json holds it: learning curves, transfer, accuracy and forgetting of each method over the same tasks, seeds and budgets.
import * as z from 'zod';

/** How the file is recognised; a later version that means something else gets another number. */
export const studyFormat = 1;

/** A number for each seed, with their mean and standard deviation. */
export interface Spread {
  /** The mean over the seeds. */
  readonly mean: number;
  /** The standard deviation over the seeds, n - 1 below the root; 0 for one seed. */
  readonly deviation: number;
  /** In the order of the study's `seeds`. */
  readonly values: readonly number[];
}

/** A task of a study. */
export interface StudyTask {
  /** Its name. */
  readonly task: string;
  /** What its head is measured by: `accuracy`, or `error`, the mean absolute one of numbers. */
  readonly metric: 'accuracy' | 'error';
  /** Whether more of it is better. */
  readonly rises: boolean;
  /** Epochs of each of its trainings. */
  readonly epochs: number;
  /** Rows that are learned from, that the curves are measured on, and that the accuracy is measured on. */
  readonly rows: { readonly training: number; readonly validation: number; readonly test: number };
}

/** What a method made of a task. */
export interface LearnedTask {
  /** The task. */
  readonly task: string;
  /**
   * The learning curve: the metric on the validation part after each epoch, which counts from 1. After an early stop the value of the epoch that was kept goes on.
   */
  readonly curve: readonly { readonly epoch: number; readonly value: Spread }[];
  /** Area under the learning curve, as the mean over its epochs: in the metric's own unit. */
  readonly area: Spread;
  /** The area in relation to that of baseline 1; above 1 is better. Null where baseline 1's is 0. */
  readonly transfer: Spread | null;
  /** The metric on the test data right after the task was learned. */
  readonly learned: Spread;
  /** The same after the last task was learned. */
  readonly end: Spread;
  /** Parameters that this task's training changed, and those of everything that is there after it. */
  readonly parameters: { readonly trained: number; readonly network: number };
  /** How long its training took. */
  readonly seconds: Spread;
}

/** What a method made of all tasks, after the last one was learned. */
export interface StudySummary {
  /** The mean of the metric: ACC of Lopez-Paz and Ranzato (2017). Null where tasks have metrics of different kinds. */
  readonly average: Spread | null;
  /** Mean over the tasks but the last of `end` minus `learned`: BWT of the same. Negative: it forgot. Null as `average`. */
  readonly backwardTransfer: Spread | null;
  /** Mean over the tasks but the last of the best that was ever reached minus `end` (Chaudhry et al. 2018). Null as `average`. */
  readonly forgetting: Spread | null;
  /** Mean over the tasks after the first of (area - area of baseline 1) / (1 - area of baseline 1): Wolczyk et al. (2021). Null where a metric is no share. */
  readonly forwardTransfer: Spread | null;
  /** Mean over the tasks after the first of `learned` minus that of baseline 1. Null as `average`. */
  readonly gain: Spread | null;
  /** Mean over the tasks after the first of the transfer score. */
  readonly transfer: Spread | null;
  /** Median of the same. */
  readonly medianTransfer: Spread | null;
}

/** What a method made of all tasks. */
export interface StudyMethod {
  /** `b1` to `b4`, `linear`, `adapter`, `lora`; with `-equal` at the end where its widths were scaled to an equal number of parameters. */
  readonly method: string;
  /** `B1`, `linear`: short, for legends. */
  readonly label: string;
  /** One sentence on what it does. */
  readonly about: string;
  /** What it is for. */
  readonly kind: 'baseline' | 'progressive';
  /** Of an equal number of parameters: the rival, its parameters, and what every width was multiplied by. */
  readonly equal: { readonly to: string; readonly parameters: number; readonly factor: number } | null;
  /** Its tasks in the order of `sequence`. */
  readonly tasks: readonly LearnedTask[];
  /** Parameters of everything that is there after the last task. */
  readonly parameters: number;
  /**
   * The metric on the test data of every task that was learned so far, after each task: `after[i][j]` of task j after task i, j <= i, by places in
   * `sequence`. Of baselines 1 and 4, whose networks know nothing of each other, every row repeats what was learned.
   */
  readonly after: readonly (readonly Spread[])[];
  /** The tasks that it learned, in order. The first is learned as baseline 1 learns it, but where there is an imported column to begin with. */
  readonly sequence: readonly string[];
  /** Over all tasks of `sequence`. */
  readonly summary: StudySummary;
  /** Whether every earlier task gave the very same bits over its whole test data after each later one. Null where nothing was learned after another. */
  readonly bitIdentical: boolean | null;
}

/** How much each task helps each other one. */
export interface TransferMatrix {
  /** Which method carries a source over to a target. */
  readonly method: string;
  /** Short, for legends. */
  readonly label: string;
  /** Rows and columns, in this order. */
  readonly tasks: readonly string[];
  /** `transfer[source][target]`, the transfer score on the target; null on the diagonal. */
  readonly transfer: readonly (readonly (Spread | null)[])[];
  /** The metric on the target's test data; on the diagonal that of baseline 1. */
  readonly learned: readonly (readonly Spread[])[];
  /** Mean of the transfer score over all pairs. */
  readonly mean: Spread | null;
  /** Median of the same. */
  readonly median: Spread | null;
}

/** What a study found. */
export interface StudyResult {
  /** Of the file that holds it. */
  readonly format: typeof studyFormat;
  /** The description's name. */
  readonly name: string;
  /** What it was computed with. */
  readonly versions: { readonly prognet: string; readonly onnxruntime: string };
  /** Threads of one op in each training: the bits depend on it. */
  readonly threads: number;
  /** One for each training of the same. */
  readonly seeds: readonly number[];
  /** In the order in which they are learned. */
  readonly tasks: readonly StudyTask[];
  /** In the order of the tables. */
  readonly methods: readonly StudyMethod[];
  /** Over all ordered pairs of tasks; none where they were not asked for. */
  readonly matrices: readonly TransferMatrix[];
  /** Trainings of the whole study, and how long they took together. */
  readonly trainings: { readonly count: number; readonly seconds: number };
  /** Lines that whoever reads the figures should know. */
  readonly notes: readonly string[];
}

const number = z.number();
const text = z.string();
const count = z.int().min(0);
const spread: z.ZodType<Spread> = z.strictObject({ mean: number, deviation: number, values: z.array(number) });

const task: z.ZodType<StudyTask> = z.strictObject({
  task: text,
  metric: z.enum(['accuracy', 'error']),
  rises: z.boolean(),
  epochs: count,
  rows: z.strictObject({ training: count, validation: count, test: count }),
});

const learned: z.ZodType<LearnedTask> = z.strictObject({
  task: text,
  curve: z.array(z.strictObject({ epoch: count, value: spread })),
  area: spread,
  transfer: spread.nullable(),
  learned: spread,
  end: spread,
  parameters: z.strictObject({ trained: count, network: count }),
  seconds: spread,
});

const method: z.ZodType<StudyMethod> = z.strictObject({
  method: text,
  label: text,
  about: text,
  kind: z.enum(['baseline', 'progressive']),
  equal: z.strictObject({ to: text, parameters: count, factor: number }).nullable(),
  tasks: z.array(learned),
  parameters: count,
  after: z.array(z.array(spread)),
  sequence: z.array(text),
  summary: z.strictObject({
    average: spread.nullable(),
    backwardTransfer: spread.nullable(),
    forgetting: spread.nullable(),
    forwardTransfer: spread.nullable(),
    gain: spread.nullable(),
    transfer: spread.nullable(),
    medianTransfer: spread.nullable(),
  }),
  bitIdentical: z.boolean().nullable(),
});

const matrix: z.ZodType<TransferMatrix> = z.strictObject({
  method: text,
  label: text,
  tasks: z.array(text),
  transfer: z.array(z.array(spread.nullable())),
  learned: z.array(z.array(spread)),
  mean: spread.nullable(),
  median: spread.nullable(),
});

/** Checks what was read of a study.json. */
export const studySchema: z.ZodType<StudyResult> = z.strictObject({
  format: z.literal(studyFormat),
  name: text,
  versions: z.strictObject({ prognet: text, onnxruntime: text }),
  threads: count,
  seeds: z.array(count),
  tasks: z.array(task),
  methods: z.array(method),
  matrices: z.array(matrix),
  trainings: z.strictObject({ count, seconds: number }),
  notes: z.array(text),
});
