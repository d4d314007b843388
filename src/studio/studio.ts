// The affairs of the studio by what a person does beside asking: opens another network, teaches, takes away.
import { AskPage } from './ask-page.js';
import type { InputShape } from './input-shape.js';
import type { Lesson } from './lesson.js';
import { Teaching } from './teaching.js';

export class Studio extends AskPage {
  private readonly teaching = new Teaching(this.store, this.opening);

  override async start(): Promise<void> {
    await this.opening.start(true);
    if (this.store.state.network !== undefined) await this.teaching.start();
  }

  openFile = (file: File) => this.doing('network', () => this.opening.openFile(file));
  beginEmpty = () => this.doing('network', () => this.opening.beginEmpty());
  reset = () => this.doing('network', () => this.opening.reset());
  saved = () => this.opening.saved();
  exported = (task: string | undefined) => this.opening.exported(task);

  override askFiles = (files: readonly File[], input?: InputShape): Promise<void> => {
    const model = files.find((f) => /\.(prognet|onnx)$/i.test(f.name));
    return model === undefined ? this.store.attempt('ask', () => this.asking.aboutFiles(files, input)) : this.openFile(model);
  };

  edit = (change: Partial<Lesson>) => this.teaching.edit(change);
  editClass = (index: number, change: Partial<Lesson['classes'][number]>) => this.teaching.editClass(index, change);
  addAsked = (index: number) => this.store.attempt('teach', async () => this.teaching.addAsked(index));
  addExampleFiles = (index: number, files: readonly File[]) =>
    this.store.attempt('teach', () => this.teaching.addExampleFiles(index, files));
  addLabelled = (files: readonly File[]) => this.store.attempt('teach', () => this.teaching.addLabelled(files));
  takeOffered = () => this.store.attempt('teach', () => this.teaching.takeOffered());
  teach = () => this.doing('teach', () => this.teaching.teach());
  resume = () => this.doing('teach', () => this.teaching.resume());
  discard = () => this.doing('teach', () => this.teaching.discard());
  cancel = () => this.teaching.cancel();
}
