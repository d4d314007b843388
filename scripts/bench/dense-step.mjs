// A training step of a dense column.
import { raceStep } from './step.mjs';

export const bench = { title: 'Training step, dense', run: () => raceStep('dense', 0.75) };
