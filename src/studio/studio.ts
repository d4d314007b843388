// The page's affairs by what a person does: opens, asks, teaches. Each thing that may go wrong says so in its place. It shows nothing: app.tsx
// draws the store's state.
import { Asking } from './asking.js';
import type { Lesson } from './lesson.js';
import { Opening } from './opening.js';
import type { Place, Provider } from './state.js';
import { Store } from './store.js';
import { Teaching } from './teaching.js';

export class Studio {
  readonly store = new Store();
  private readonly opening = new Opening(this.store);
  private readonly asking = new Asking(this.store, this.opening);
  private readonly teaching = new Teaching(this.store, this.opening);

  async start(): Promise<void> {
    await this.opening.start();
    if (this.store.state.network !== undefined) await this.teaching.start();
  }

  /** Work on the network itself, one at a time; it may change the answers. */
  private async doing(place: Place, work: () => Promise<void>): Promise<void> {
    if (this.store.state.busy) return;
    this.store.set({ busy: true });
    await this.store.attempt(place, work);
    this.store.set({ busy: false });
    await this.asking.again();
  }

  choose = (provider: Provider) => this.doing('provider', () => this.opening.choose(provider));
  openFile = (file: File) => this.doing('network', () => this.opening.openFile(file));
  beginEmpty = () => this.doing('network', () => this.opening.beginEmpty());
  reset = () => this.doing('network', () => this.opening.reset());
  saved = () => this.opening.saved();
  exported = (task: string | undefined) => this.opening.exported(task);

  askAbout = (asked: readonly Float32Array[], at?: number) => this.asking.about(asked, at);
  askFiles = (files: readonly File[]) => {
    const model = files.find((f) => /\.(prognet|onnx)$/i.test(f.name));
    return model === undefined ? this.store.attempt('ask', () => this.asking.aboutFiles(files)) : this.openFile(model);
  };

  edit = (change: Partial<Lesson>) => this.teaching.edit(change);
  editClass = (index: number, change: Partial<Lesson['classes'][number]>) => this.teaching.editClass(index, change);
  addExamples = (index: number, rows: readonly Float32Array[]) => this.teaching.addExamples(index, rows);
  addExampleFiles = (index: number, files: readonly File[]) =>
    this.store.attempt('teach', () => this.teaching.addExampleFiles(index, files));
  addLabelled = (files: readonly File[]) => this.store.attempt('teach', () => this.teaching.addLabelled(files));
  takeOffered = () => this.store.attempt('teach', () => this.teaching.takeOffered());
  teach = () => this.doing('teach', () => this.teaching.teach());
  resume = () => this.doing('teach', () => this.teaching.resume());
  discard = () => this.doing('teach', () => this.teaching.discard());
  cancel = () => this.teaching.cancel();
}
