// Gives back what models leave that were read or unloaded. Their bytes lie outside of V8's heap, which hardly counts them: tens of megabytes of them would stay in each thread.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// A context that is made after this has `gc`; nothing else does.
setFlagsFromString('--expose-gc');
/** Collects all garbage of this thread, in some hundredths of a second. */
export const collect: () => void = runInNewContext('gc');
