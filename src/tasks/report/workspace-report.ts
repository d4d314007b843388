// The report of a workspace: what is kept in it, put together. Nothing is trained or changed.
import { version } from '../../onnx/core/version.js';
import type { Report, Section } from '../../report/report.js';
import type { LoadedWorkspace } from '../load-workspace.js';
import { hasMoved, outcomeOf } from '../verify.js';
import { type Asked, measuresSection, verdictTable } from './asked.js';
import { compressionSections } from './compressed.js';
import { findingSections } from './finding.js';
import { growthSection } from './growing.js';
import { learningSection } from './learning.js';
import { networkSection } from './sensitivity.js';
import { sweepSections } from './sweeping.js';
import { recordedProof, settingsSection, tasksSection } from './task-facts.js';

const heldTo =
  'The weights and records of all frozen columns have the hashes that were written down when they were frozen: this was checked when this report was made.';
const unasked =
  'Whether they answer as they did then is proven by running their test data: prognet report --verify does it, or prognet verify.';

function verdictOf(asked: readonly Asked[]): string {
  const frozen = asked.filter((a) => a.frozen);
  const same = frozen.filter(({ verified }) => verified?.identical === true);
  const moved = asked.filter(({ verified }) => hasMoved(verified)).map(({ task }) => task);
  if (moved.length > 0) return `NOT AS THEY WERE: ${moved.join(', ')}.`;
  const rest = frozen
    .filter(({ verified }) => verified?.identical !== true)
    .map(({ task, verified }) => `${task} (${outcomeOf(verified)})`);
  const said = `${same.length} of ${frozen.length} frozen tasks gave the same bits over their whole test data as on the day they were frozen.`;
  return rest.length === 0 ? said : `${said} Not compared bit for bit: ${rest.join(', ')}.`;
}

function proofSection(loaded: LoadedWorkspace, asked: readonly Asked[] | undefined): Section {
  const base = { id: 'proof', heading: 'What was proven', figures: [] };
  const verdicts = asked === undefined || asked.length === 0 ? [] : [verdictTable(asked)];
  if (loaded.frozen.size === 0)
    return {
      ...base,
      says: ['No column is frozen yet, so there is nothing to prove. prognet freeze <task> makes a column final.'],
      tables: verdicts,
    };
  return {
    ...base,
    says: [heldTo, asked === undefined ? unasked : verdictOf(asked)],
    tables: [...verdicts, recordedProof(loaded)],
  };
}

function about({ columns, frozen }: LoadedWorkspace): string {
  const { length } = columns.tasks;
  const inputs =
    length === 0 ? '' : ` Its input is ${columns.inputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ')}.`;
  return `A progressive network of ${length} ${length === 1 ? 'task' : 'tasks'}, ${frozen.size} of them frozen.${inputs}`;
}

/** All of it. `asked`: what every task answers now; undefined where it was not asked for. Throws as the parts of the workspace are read. */
export function workspaceReport(loaded: LoadedWorkspace, asked?: readonly Asked[]): Report {
  return {
    of: 'workspace',
    title: `Report of ${loaded.description.name}`,
    about: about(loaded),
    created: new Date().toISOString(),
    version,
    sections: [
      tasksSection(loaded),
      learningSection(loaded),
      networkSection(loaded),
      growthSection(loaded),
      ...sweepSections(loaded),
      ...compressionSections(loaded),
      ...findingSections(loaded),
      measuresSection(asked),
      proofSection(loaded, asked),
      settingsSection(loaded),
    ],
  };
}
