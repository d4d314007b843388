// What a training tells a program: an object a line on stdout, as it happens. The last line is the command's own, with `event: done` or an error.
import type { TrainEvent } from '../train/events.js';
import type { GlobalOptions } from './report.js';

export interface TrainingLines {
  readonly event: (event: TrainEvent) => void;
  readonly note: (text: string) => void;
}

/** Under --json; with --quiet, as without --json, nothing. */
export function trainingLines({ json, quiet }: GlobalOptions, task: string): TrainingLines {
  const write = (event: string, fields: object) => {
    if (json && !quiet) process.stdout.write(`${JSON.stringify({ event, task, ...fields })}\n`);
  };
  return {
    note: (text) => write('note', { text }),
    event: (e) => {
      switch (e.kind) {
        case 'epoch':
          write('epoch', { ...e.record, epochs: e.epochs, seconds: e.seconds });
          break;
        case 'resumed':
          write('resumed', { epoch: e.epoch, step: e.step });
          break;
        case 'started':
        case 'balanced':
        case 'bytes':
        case 'plateau':
        case 'stopped': {
          const { kind, ...fields } = e;
          write(kind, fields);
          break;
        }
        // Work within an epoch is for people who wait.
        case 'step':
        case 'reading':
        case 'tapping':
        case 'taps':
        case 'stored':
        case 'uncached':
        case 'augmented':
          break;
      }
    },
  };
}
