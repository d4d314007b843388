// The page's state and who listens to it. What went wrong is kept by the place where it is shown.
import { freshLesson } from './lesson.js';
import { messageOf } from './remedies.js';
import type { Place, State } from './state.js';

export class Store {
  state: State = {
    phase: 'opening',
    provider: 'wasm',
    asked: [],
    at: 0,
    answers: [],
    all: [],
    notes: [],
    webgpu: true,
    lesson: freshLesson,
    teaching: false,
    busy: false,
    changed: false,
    problems: {},
    said: 'Opening the network.',
  };
  private readonly listeners = new Set<() => void>();

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  /** Runs what a person asked for; what it throws is shown in its place, and what stood there before is taken away. */
  async attempt(place: Place, work: () => Promise<void>): Promise<void> {
    this.clear(place);
    try {
      await work();
    } catch (error) {
      this.problem(place, error);
    }
  }

  problem(place: Place, error: unknown): void {
    this.set({ problems: { ...this.state.problems, [place]: messageOf(error) } });
  }

  clear(place: Place): void {
    if (this.state.problems[place] === undefined) return;
    const { [place]: _, ...problems } = this.state.problems;
    this.set({ problems });
  }

  /** Read out by screen readers. */
  say(said: string): void {
    this.set({ said });
  }
}
