// What a person does on any of the pages: chooses where the network runs, and asks it. Each thing that may go wrong says so in its place. It shows
// nothing: ask-app.tsx and app.tsx draw the store's state.
import { Asking } from './asking.js';
import type { InputShape, SampleShape } from './input-shape.js';
import { Opening } from './opening.js';
import type { Place, Provider } from './state.js';
import { Store } from './store.js';

export class AskPage {
  readonly store = new Store();
  protected readonly opening = new Opening(this.store);
  protected readonly asking = new Asking(this.store, this.opening);

  async start(): Promise<void> {
    await this.opening.start(false);
  }

  /** Work on the network itself, one at a time; it may change the answers. */
  protected async doing(place: Place, work: () => Promise<void>): Promise<void> {
    if (this.store.state.busy) return;
    this.store.set({ busy: true });
    await this.store.attempt(place, work);
    this.store.set({ busy: false });
    // What a lesson came to is not overtaken by answers that nobody asked for anew.
    await this.asking.again(true, place !== 'teach');
  }

  choose = (provider: Provider) => this.doing('provider', () => this.opening.choose(provider));

  askAbout = (asked: readonly Float32Array[], at?: number) => this.asking.about(asked, at);
  /** A sample that came with the page. */
  askSample = (row: Float32Array, sample: SampleShape) => this.asking.about([row], 0, [], sample);
  /** Another part of the sample that is asked about: what stands for an input, or nothing. */
  askPart = (input: InputShape, part: Float32Array | undefined) => this.asking.aboutPart(input, part);
  askTable = (text: string, where: string) => this.store.attempt('ask', async () => this.asking.aboutTable(text, where));
  /** Files of whole samples, or of an input. */
  askFiles = (files: readonly File[], input?: InputShape): Promise<void> =>
    this.store.attempt('ask', () => this.asking.aboutFiles(files, input));
}
