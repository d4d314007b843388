// Progress of a training on stderr: a bar on a terminal, else a line per epoch and one every two seconds within a long one.
import cliProgress from 'cli-progress';
import type { Reading } from '../data/reading.js';
import type { ValidationRecord } from '../train/checkpoint.js';
import type { ByMeasure } from '../train/counts.js';
import type { TrainEvent } from '../train/events.js';
import { type GlobalOptions, note } from './report.js';

const secondsPerLine = 2;
/** What fits into a line, of whichever head; all of them stand in metrics.jsonl and under --json. */
const leads = ['accuracy', 'macro f1', 'mae', 'r2'] as const;

export interface Progress {
  readonly event: (event: TrainEvent) => void;
  /** Of data that are written to disk. */
  readonly reading: (reading: Reading) => void;
  /** A line, the bar taken away first. */
  readonly line: (text: string) => void;
  readonly stop: () => void;
}

export function progressOf(options: GlobalOptions, task: string): Progress {
  const shown = process.stderr.isTTY && !options.quiet;
  return shown ? new Bar(options, task) : new Lines(options, task);
}

/** Progress of work in parts: a bar of them on a terminal, else a line for each. */
export interface PartsProgress {
  readonly done: (part: string, done: number, total: number) => void;
  readonly line: (text: string) => void;
  readonly stop: () => void;
}

/** The trials of a sweep. */
export const trialsProgress = (options: GlobalOptions, task: string): PartsProgress =>
  partsProgress(options, `${task} trials`, `${task} trial`);

/** @param all what the bar is of, @param each what a line begins with */
export function partsProgress(options: GlobalOptions, all: string, each = all): PartsProgress {
  const line = (text: string) => note(options, text);
  if (!process.stderr.isTTY || options.quiet)
    return { line, stop: () => {}, done: (part, done, total) => line(`${each} ${done}/${total}: ${part}`) };
  const bar = new cliProgress.SingleBar({
    format: `${all} [{bar}] {value}/{total} {part}`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    // Its own handler would send a second SIGINT, which means: at once.
    gracefulExit: false,
    barsize: 30,
  });
  let shown = false;
  const stop = () => {
    if (shown) bar.stop();
    shown = false;
  };
  return {
    stop,
    line: (text) => {
      stop();
      line(text);
    },
    done: (part, done, total) => {
      if (!shown) bar.start(total, done, { part });
      shown = true;
      bar.update(done, { part });
    },
  };
}

/** `loss 0.4123, accuracy 0.8812, macro f1 0.8790`. */
function measured(loss: number, measures: ByMeasure = {}): string {
  const said = leads.flatMap((name) => (measures[name] === undefined ? [] : [`${name} ${measures[name].toFixed(4)}`]));
  return [`loss ${loss.toFixed(4)}`, ...said].join(', ');
}

/** Of several heads the sum of their losses and each with its own. */
function validated({ loss, measures, heads }: ValidationRecord): string {
  if (heads === undefined) return measured(loss, measures);
  const each = Object.entries(heads).map(
    ([name, own]) => `${name} loss ${own.loss.toFixed(4)} ${own.metric.name} ${own.metric.value.toFixed(4)}`,
  );
  return [`loss ${loss.toFixed(4)}`, ...each].join(', ');
}

/** The sentences that both kinds share. */
abstract class Sentences implements Progress {
  constructor(
    protected readonly options: GlobalOptions,
    protected readonly task: string,
  ) {}

  protected abstract step(what: string, done: number, total: number, loss?: number): void;
  abstract stop(): void;

  readonly line = (text: string): void => {
    this.stop();
    note(this.options, text);
  };

  readonly reading = ({ what, done, total }: Reading): void => this.step(what, done, total);

  readonly event = (e: TrainEvent): void => {
    const { task } = this;
    switch (e.kind) {
      case 'reading':
        this.reading(e);
        break;
      case 'tapping':
        this.step('taps of earlier columns', e.done, e.total);
        break;
      case 'step':
        this.step(`epoch ${e.epoch}`, e.done, e.total, e.loss);
        break;
      case 'epoch': {
        const { epoch, loss, measures, validation } = e.record;
        const seen = validation === undefined ? '' : `; validation ${validated(validation)}`;
        this.line(`${task} epoch ${epoch}/${e.epochs} ${measured(loss, measures)}${seen} (${e.seconds.toFixed(1)} s)`);
        break;
      }
      case 'started':
        break;
      case 'resumed':
        this.line(`${task} continues after epoch ${e.epoch}, step ${e.step}`);
        break;
      case 'balanced': {
        const each = e.numbers.slice(0, 8).map(({ name, value }) => `${name} ${Number(value.toPrecision(3))}`);
        this.line(`${task}: ${e.option} balanced: ${each.join(', ')}${e.numbers.length > 8 ? ', ...' : ''}`);
        break;
      }
      case 'plateau':
        this.line(`${task} epoch ${e.epoch} was no better: rate ${Number(e.rate.toPrecision(3))} from now on`);
        break;
      case 'stopped':
        this.line(`${task} stops early at epoch ${e.epoch}, takes epoch ${e.best} back`);
        break;
      case 'taps':
        if (e.reused > 0) this.line(`${task}: ${e.computed} taps of earlier columns computed, ${e.reused} there already`);
        break;
      case 'stored':
        this.line(
          `${task}: taps of earlier columns need ${e.bytes} bytes, over ${e.budget}: ${e.found ? 'found' : 'kept'} in cache/`,
        );
        break;
      case 'bytes':
        this.line(
          `${task}: the data are bytes and "${e.input}" is float32: exported models take bytes divided by 255, 0 to 1; { dtype: uint8, prepare: [scale] } of the input makes models that take bytes`,
        );
        break;
      case 'augmented':
        this.line(`${task}: rows are varied in each epoch, so earlier columns are computed at every step, which is slower`);
        break;
      case 'uncached':
        this.line(
          `${task}: taps of earlier columns need ${e.bytes} bytes, over ${e.budget}: computed again for each chunk, which is slower`,
        );
        break;
    }
  };
}

class Lines extends Sentences {
  private last = performance.now();

  protected step(what: string, done: number, total: number, loss?: number): void {
    if (performance.now() - this.last < secondsPerLine * 1000) return;
    this.line(`${this.task} ${what}: ${done}/${total}${loss === undefined ? '' : ` loss ${loss.toFixed(4)}`}`);
  }

  stop(): void {
    this.last = performance.now();
  }
}

class Bar extends Sentences {
  private what: string | undefined;
  private readonly bar = new cliProgress.SingleBar({
    format: '{task} {what} [{bar}] {value}/{total}{loss}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    // Its own handler would send a second SIGINT, which means: at once.
    gracefulExit: false,
    barsize: 30,
  });

  protected step(what: string, done: number, total: number, loss?: number): void {
    const payload = { task: this.task, what, loss: loss === undefined ? '' : ` loss ${loss.toFixed(4)}` };
    if (what !== this.what) {
      this.stop();
      this.bar.start(total, done, payload);
      this.what = what;
    } else this.bar.update(done, payload);
  }

  stop(): void {
    if (this.what === undefined) return;
    this.what = undefined;
    this.bar.stop();
  }
}
