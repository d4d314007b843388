// Models given to ONNX Runtime, one after the other, in a process of its own (load.mjs): a model that ends it, or hangs, is followed by another process.
import { fork } from 'node:child_process';

const patience = 60_000;

export class Loader {
  child;

  /** Null, why ONNX Runtime refuses the model, or that it hangs or dies. `bytes` are base64. */
  async load(bytes) {
    if (this.child === undefined) {
      this.child = fork(new URL('load.mjs', import.meta.url).pathname, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
      await this.answer();
    }
    const answer = this.answer();
    this.child.send({ bytes });
    const { refused } = await answer;
    if (refused === 'hangs' || refused === 'dies') this.end();
    return refused;
  }

  end() {
    this.child?.kill('SIGKILL');
    this.child = undefined;
  }

  answer() {
    const { child } = this;
    return new Promise((resolve) => {
      const done = (m) => {
        clearTimeout(timer);
        child.removeAllListeners();
        resolve(m);
      };
      const timer = setTimeout(() => done({ refused: 'hangs' }), patience);
      child.once('message', done);
      child.once('exit', () => done({ refused: 'dies' }));
    });
  }
}
