// What a study found, as study.json holds it: learning curves, transfer, accuracy and forgetting of each method over the same tasks, seeds and budgets.
import * as z from 'zod';

/** How the file is recognised; a later version that means something else gets another number. */
export const studyFormat = 1;

const number = z.number();
const count = z.int().min(0);

/** A number for each seed, in the order of `seeds`, with their mean and standard deviation (n - 1 below the root; 0 for one seed). */
const spreadSchema = z.strictObject({ mean: number, deviation: number, values: z.array(number) });

const taskSchema = z.strictObject({
  task: z.string(),
  /** What its head is measured by: `accuracy`, or `error`, the mean absolute one of numbers. */
  metric: z.enum(['accuracy', 'error']),
  /** Whether more of it is better. */
  rises: z.boolean(),
  /** Epochs of each of its trainings. */
  epochs: count,
  /** Rows that are learned from, that the curves are measured on, and that the accuracy is measured on. */
  rows: z.strictObject({ training: count, validation: count, test: count }),
});

const pointSchema = z.strictObject({
  /** From 1: after so many passes over the training data. */
  epoch: count,
  /** The metric on the validation part. */
  value: spreadSchema,
});

const learnedSchema = z.strictObject({
  task: z.string(),
  /** The learning curve, a point for each epoch. After an early stop the value of the epoch that was kept goes on. */
  curve: z.array(pointSchema),
  /** Area under the learning curve, as the mean over its epochs: in the metric's own unit. */
  area: spreadSchema,
  /** The area in relation to that of baseline 1; above 1 is better. Null where baseline 1's is 0. */
  transfer: spreadSchema.nullable(),
  /** The metric on the test data right after the task was learned. */
  learned: spreadSchema,
  /** The same after the last task was learned. */
  end: spreadSchema,
  /** Parameters that this task's training changed, and those of everything that is there after it. */
  parameters: z.strictObject({ trained: count, network: count }),
  seconds: spreadSchema,
});

const methodSchema = z.strictObject({
  /** `b1` to `b4`, `linear`, `adapter`, `lora`; with `-equal` at the end where its widths were scaled to an equal number of parameters. */
  method: z.string(),
  /** `B1`, `linear`: short, for legends. */
  label: z.string(),
  /** One sentence on what it does. */
  about: z.string(),
  kind: z.enum(['baseline', 'progressive']),
  /** Of an equal number of parameters: the rival, its parameters, and what every width was multiplied by. */
  equal: z.strictObject({ to: z.string(), parameters: count, factor: number }).nullable(),
  /** Its tasks in the order of `sequence`. */
  tasks: z.array(learnedSchema),
  /** Parameters of everything that is there after the last task. */
  parameters: count,
  /**
   * The metric on the test data of every task that was learned so far, after each task: `after[i][j]` of task j after task i, j <= i, by places in
   * `sequence`. Of baselines 1 and 4, whose networks know nothing of each other, every row repeats what was learned.
   */
  after: z.array(z.array(spreadSchema)),
  /** The tasks that it learned, in order. The first is learned as baseline 1 learns it, but where an imported column is tuned. */
  sequence: z.array(z.string()),
  /** Over all tasks of `sequence`, after the last one. */
  summary: z.strictObject({
    /** The mean of the metric: ACC of Lopez-Paz and Ranzato (2017). Null where tasks have metrics of different kinds. */
    average: spreadSchema.nullable(),
    /** Mean over the tasks but the last of `end` minus `learned`: BWT of the same. Negative: it forgot. Null as `average`. */
    backwardTransfer: spreadSchema.nullable(),
    /** Mean over the tasks but the last of the best that was ever reached minus `end` (Chaudhry et al. 2018). Null as `average`. */
    forgetting: spreadSchema.nullable(),
    /** Mean over the tasks after the first of (area - area of baseline 1) / (1 - area of baseline 1): Wolczyk et al. (2021). Null where a metric is no share. */
    forwardTransfer: spreadSchema.nullable(),
    /** Mean over the tasks after the first of `learned` minus that of baseline 1. Null as `average`. */
    gain: spreadSchema.nullable(),
    /** Mean and median over the tasks after the first of the transfer score. */
    transfer: spreadSchema.nullable(),
    medianTransfer: spreadSchema.nullable(),
  }),
  /** Whether every earlier task gave the very same bits over its whole test data after each later one. Null where nothing was learned after another. */
  bitIdentical: z.boolean().nullable(),
});

const matrixSchema = z.strictObject({
  /** Which method carries a source over to a target. */
  method: z.string(),
  label: z.string(),
  /** Rows and columns, in this order. */
  tasks: z.array(z.string()),
  /** `transfer[source][target]`, the transfer score on the target; null on the diagonal. */
  transfer: z.array(z.array(spreadSchema.nullable())),
  /** The metric on the target's test data; on the diagonal that of baseline 1. */
  learned: z.array(z.array(spreadSchema)),
  /** Mean and median of the transfer score over all pairs. */
  mean: spreadSchema.nullable(),
  median: spreadSchema.nullable(),
});

/** Checks what was read of a study.json. */
export const studySchema = z.strictObject({
  format: z.literal(studyFormat),
  /** The description's name. */
  name: z.string(),
  versions: z.strictObject({ prognet: z.string(), onnxruntime: z.string() }),
  /** Threads of one op in each training: the bits depend on it. */
  threads: count,
  seeds: z.array(count),
  /** In the order in which they are learned. */
  tasks: z.array(taskSchema),
  methods: z.array(methodSchema),
  /** Over all ordered pairs of tasks; none where they were not asked for. */
  matrices: z.array(matrixSchema),
  /** Trainings of the whole study, and how long they took together. */
  trainings: z.strictObject({ count, seconds: number }),
  /** Lines that whoever reads the figures should know. */
  notes: z.array(z.string()),
});

/** A number for each seed, with their mean and standard deviation. */
export type Spread = z.infer<typeof spreadSchema>;
/** A task of a study. */
export type StudyTask = z.infer<typeof taskSchema>;
/** What a method made of a task. */
export type LearnedTask = z.infer<typeof learnedSchema>;
/** What a method made of all tasks. */
export type StudyMethod = z.infer<typeof methodSchema>;
/** How much each task helps each other one. */
export type TransferMatrix = z.infer<typeof matrixSchema>;
/** What a study found. */
export type StudyResult = z.infer<typeof studySchema>;
