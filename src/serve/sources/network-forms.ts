// The models that one network is served as: each task, and where they are asked for one of all tasks and one that computes the task asked for.
import type { Form } from '../../model/progressive/forms.js';

/** A model to make of a network. */
export interface FormOf {
  readonly name: string;
  readonly form: Form;
  readonly tasks: readonly string[];
}

/** By the forms that are asked for; `routable` are the tasks that a routed model may have. */
export function formsOf(
  network: string,
  forms: readonly Form[],
  tasks: readonly string[],
  routable: () => readonly string[],
): readonly FormOf[] {
  if (tasks.length === 0) return [];
  return forms.flatMap((form): FormOf[] => {
    if (form === 'task') return tasks.map((task) => ({ name: task, form, tasks: [task] }));
    if (form === 'all') return [{ name: network, form, tasks }];
    return [{ name: `${network}-routed`, form, tasks: routable() }];
  });
}
