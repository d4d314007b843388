// What a client is told of samples that do not fit.
import { ServeError } from '../served-model.js';

/** Makes the error of a message. */
export type Wrong = (message: string) => Error;

export const wrong: Wrong = (message) => new ServeError('invalid', message.slice(0, 400));
