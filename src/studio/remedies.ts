// What would put an error right, as something that a person does on this page.
import type { Remedy } from '../onnx/core/remedy.js';
import { PrognetError } from '../web.js';

/** What went wrong, in the words of the page. */
export function messageOf(error: unknown): string {
  if (!(error instanceof PrognetError)) return error instanceof Error ? error.message : String(error);
  return error.remedy === undefined ? error.message : error.statement + asAction(error.remedy);
}

function asAction(remedy: Remedy): string {
  switch (remedy.kind) {
    case 'train':
      return remedy.task === undefined ? ': teach one first' : `: teach ${remedy.task} first`;
    case 'freeze':
      return `: freeze ${remedy.task} first`;
    case 'reset':
      return `: reset ${remedy.task}`;
    case 'resume':
      return '; what was learned so far is kept, teach on with it';
    case 'resume-or-restart':
      return ': teach on with it, or drop it';
    case 'lower-rate':
      return ': teach on more slowly, or drop it';
    case 'import':
    case 'taps':
      return ': open its model again';
    case 'inspect':
      return `: "prognet inspect ${remedy.task}" lists all`;
    case 'begin':
      return ': open a network';
    case 'install':
      return `: whoever serves this page must add ${remedy.package} to it`;
    case 'give':
      return `: choose ${remedy.option}`;
    case 'leave-out':
      return `: leave ${remedy.option} out`;
  }
}
