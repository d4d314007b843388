// Milliseconds of a run of a model, given with batch sizes: the median of as many runs as half a second holds, after a warm-up.
import ort from 'onnxruntime-node';

const [file, ...batches] = process.argv.slice(2);
const session = await ort.InferenceSession.create(file, { interOpNumThreads: 1, logSeverityLevel: 3 });
const found = [];
for (const batch of batches.map(Number)) {
  const data = Float32Array.from({ length: batch * 784 }, (_, i) => ((i * 7919) % 256) / 255);
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', data, [batch, 1, 28, 28]) };
  for (let i = 0; i < 5; i++) await session.run(feeds);
  const times = [];
  const until = performance.now() + 500;
  while (performance.now() < until || times.length < 5) {
    const before = performance.now();
    await session.run(feeds);
    times.push(performance.now() - before);
  }
  found.push(times.toSorted((a, b) => a - b)[times.length >> 1]);
}
console.log(JSON.stringify(found));
