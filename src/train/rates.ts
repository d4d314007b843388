// The learning rate of each step: the base rate by its schedule. On a plateau it depends on how the epochs went, and that stands in their records:
// a resumed training has the same rates.
import { measureNamed, rises } from '../model/heads/measure-names.js';
import type { EpochRecord } from './checkpoint.js';
import { watched } from './early-stopping.js';
import { plateauFactor, rateFactor } from './optim/schedule.js';
import type { TrainSettings } from './settings.js';

export class Rates {
  private fallen = 1;

  constructor(
    private readonly settings: TrainSettings,
    /** Steps of an epoch. */
    private readonly perEpoch: number,
  ) {}

  /** The rate of a step, counted from 0: of any step of the running epoch, and of later ones where no plateau decides on it. */
  at(step: number): number {
    const { rate, schedule, epochs } = this.settings;
    const planned = rate * rateFactor(schedule, step, epochs * this.perEpoch, this.perEpoch);
    return schedule.kind === 'plateau' ? Math.max(planned * this.fallen, Math.min(planned, schedule.min_lr)) : planned;
  }

  /** Takes in the epochs so far. */
  follow(history: readonly EpochRecord[]): void {
    const { schedule } = this.settings;
    if (schedule.kind !== 'plateau') return;
    const { monitor } = schedule;
    const rising = monitor !== 'training_loss' && monitor !== 'loss' && rises(measureNamed(monitor));
    const values = history.flatMap(({ loss, validation }) => {
      if (monitor === 'training_loss') return loss;
      return validation === undefined ? [] : watched(monitor, validation) * (rising ? -1 : 1);
    });
    this.fallen = plateauFactor(schedule, values, rising);
  }
}
