// What would put an error right, as commands and flags of prognet.
import { npmInstall, type Remedy } from '../onnx/core/remedy.js';

/** The end of the command line's message. */
export function asCommand(remedy: Remedy): string {
  switch (remedy.kind) {
    case 'train':
      return `: prognet train ${remedy.task ?? '--all'}${remedy.freeze === true ? ' --freeze' : ''}`;
    case 'freeze':
      return `: prognet freeze ${remedy.task}`;
    case 'reset':
      return `: prognet reset ${remedy.task}`;
    case 'resume':
      return `; state kept, continue with prognet train ${remedy.task ?? '--all'} --resume${remedy.freeze === true ? ' --freeze' : ''}`;
    case 'resume-or-restart':
      return ', continue it with --resume or drop it with --restart';
    case 'lower-rate':
      return `; go on from the last good state with prognet train ${remedy.task} --resume --lr ${remedy.rate} or drop it with --restart`;
    case 'import':
      return ': prognet import takes it in again';
    case 'taps':
      return `: say them again with prognet import --task ${remedy.task} --taps <names>`;
    case 'inspect':
      return `: prognet inspect ${remedy.task} lists all`;
    case 'begin':
      return ', begin with: prognet init';
    case 'install':
      return `: ${npmInstall(remedy)}`;
    case 'give':
      return `, ${flag(remedy)}`;
    case 'leave-out':
      return `, leave ${flag(remedy)} out`;
  }
}

function flag({ kind, option, value, exactly }: Extract<Remedy, { option: string }>): string {
  if (exactly !== undefined) return `--${option} ${exactly}`;
  if (value === undefined) return `--${option}`;
  return kind === 'give' ? `--${option} <${value}>` : `--${option} ${value}`;
}
