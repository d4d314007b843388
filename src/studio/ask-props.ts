// What each part of the ask panel is given.
import type { AskPage } from './ask-page.js';
import type { InputShape } from './input-shape.js';
import type { Loaded, State } from './state.js';

export interface AskProps {
  readonly page: AskPage;
  readonly state: State;
  readonly network: Loaded;
}

/** What asks for one of the inputs is given. */
export interface InputProps extends AskProps {
  readonly input: InputShape;
}
