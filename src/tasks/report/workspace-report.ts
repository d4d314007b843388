// The report of a workspace: what is kept in it, put together. Nothing is trained or changed.
import { version } from '../../onnx/core/version.js';
import type { Report, Section } from '../../report/report.js';
import type { LoadedWorkspace } from '../load-workspace.js';
import { growthSection } from './growing.js';
import { learningSection } from './learning.js';
import { recordedProof, settingsSection, tasksSection } from './task-facts.js';

function proofSection(loaded: LoadedWorkspace): Section {
  const base = { id: 'proof', heading: 'What was proven', figures: [] };
  if (loaded.frozen.size === 0)
    return {
      ...base,
      says: ['No column is frozen yet, so there is nothing to prove. prognet freeze <task> makes a column final.'],
      tables: [],
    };
  const says = [
    'The weights and records of all frozen columns have the hashes that were written down when they were frozen: this was checked when this report was made.',
  ];
  return { ...base, says, tables: [recordedProof(loaded)] };
}

function about({ columns, frozen }: LoadedWorkspace): string {
  const { length } = columns.tasks;
  const inputs =
    length === 0 ? '' : ` Its input is ${columns.inputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ')}.`;
  return `A progressive network of ${length} ${length === 1 ? 'task' : 'tasks'}, ${frozen.size} of them frozen.${inputs}`;
}

/** All of it. */
export function workspaceReport(loaded: LoadedWorkspace): Report {
  return {
    of: 'workspace',
    title: `Report of ${loaded.description.name}`,
    about: about(loaded),
    created: new Date().toISOString(),
    version,
    sections: [
      tasksSection(loaded),
      learningSection(loaded),
      growthSection(loaded),
      proofSection(loaded),
      settingsSection(loaded),
    ],
  };
}
