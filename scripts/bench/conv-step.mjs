// A training step of a convolutional column.
import { raceStep } from './step.mjs';

export const bench = { title: 'Training step, convolutional', run: () => raceStep('conv', 1.2) };
