// Parameters of requests and of their tensors, as both protocols have them: what is not done here is refused rather than left alone.
import { ServeError } from '../served-model.js';

type Parameters = Readonly<Record<string, unknown>> | undefined;

/** Of Triton's extensions for shared memory, sequences, classification and the order of requests. */
const unsupported = /^(shared_memory_|sequence_|classification$|priority$)/;

/** What this server does not do would be a wrong answer rather than none. @param place where its extensions are told. Throws ServeError. */
export function refuseUnsupported(known: Parameters, place: string): void {
  for (const name in known) {
    if (!unsupported.test(name)) continue;
    throw new ServeError(
      'unsupported',
      `parameter '${name}' is of an extension that this server has not: see the extensions ${place}`,
    );
  }
}

/** The time that a request gives itself. @param timeout in microseconds, 0 for the server's own. Gives milliseconds. Throws ServeError. */
export function timeoutOf(timeout: unknown): { readonly timeout?: number } {
  if (timeout === undefined) return {};
  const found = Number(timeout);
  if ((typeof timeout !== 'number' && typeof timeout !== 'string') || !Number.isSafeInteger(found) || found < 0)
    throw new ServeError('invalid', `parameter 'timeout' is ${JSON.stringify(timeout)}, expected a whole number of microseconds`);
  return found === 0 ? {} : { timeout: found / 1000 };
}
