// What would put an error right, as data: the command line phrases it as a command, the page as an action, the library (here) as a call.

/** What a caller can do about an error; each face phrases it. */
export type Remedy =
  /** A task, or without one any task, is to be trained first; with `freeze` and frozen, since others read it. */
  | { readonly kind: 'train'; readonly task?: string; readonly freeze?: boolean }
  /** A task is trained and is to be frozen first. */
  | { readonly kind: 'freeze'; readonly task: string }
  /** The frozen column of a task is to be taken back. */
  | { readonly kind: 'reset'; readonly task: string }
  /** A training was interrupted and its state kept; without a task: of several. With `freeze` it was to be frozen then. */
  | { readonly kind: 'resume'; readonly task?: string; readonly freeze?: boolean }
  /** An unfinished training of the task is there, and a new one was asked for. */
  | { readonly kind: 'resume-or-restart'; readonly task: string }
  /** A training diverged; its last good state is kept, to go on from with this rate, say. */
  | { readonly kind: 'lower-rate'; readonly task: string; readonly rate: number }
  /** A column came from an ONNX model and changes only with it. */
  | { readonly kind: 'import'; readonly task: string }
  /** The taps of an imported column are to be said once more. */
  | { readonly kind: 'taps'; readonly task: string }
  /** What can be named there is more than a line holds. */
  | { readonly kind: 'inspect'; readonly task: string }
  /** There is no workspace. */
  | { readonly kind: 'begin' }
  /** An npm package is missing; `package` is what npm is told, `note` what to know of it. */
  | { readonly kind: 'install'; readonly package: string; readonly note?: string }
  /** An option must be given, or left out; `value` says what is given, `exactly` is the very value. */
  | { readonly kind: 'give' | 'leave-out'; readonly option: string; readonly value?: string; readonly exactly?: string };

/** The end of the library's message. */
export function asCall(remedy: Remedy): string {
  switch (remedy.kind) {
    case 'train':
      return remedy.task === undefined ? ': train one first' : `: train ${JSON.stringify(remedy.task)} first`;
    case 'freeze':
      return `: freeze ${JSON.stringify(remedy.task)} first`;
    case 'reset':
      return `: reset ${JSON.stringify(remedy.task)}`;
    case 'resume':
      return '; state kept, train again with { resume: true }';
    case 'resume-or-restart':
      return ', continue it with { resume: true } or drop it with { restart: true }';
    case 'lower-rate':
      return `; go on from the last good state with { resume: true, overrides: { lr: ${remedy.rate} } } or drop it with { restart: true }`;
    case 'import':
      return ': import its model again';
    case 'taps':
      return `: change the taps of ${JSON.stringify(remedy.task)} again`;
    case 'inspect':
      return `: inspect ${JSON.stringify(remedy.task)} lists all`;
    case 'begin':
      return ', expected the folder of a workspace';
    case 'install':
      return `: ${npmInstall(remedy)}`;
    case 'give':
      return `, as the option ${remedy.option}${remedy.exactly === undefined ? '' : `: "${remedy.exactly}"`}`;
    case 'leave-out':
      return `, leave ${remedy.option} out`;
  }
}

/** The same wherever there is a shell. */
export function npmInstall({ package: name, note }: Extract<Remedy, { kind: 'install' }>): string {
  return `npm install ${name}${note === undefined ? '' : ` (${note})`}`;
}
