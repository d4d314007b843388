// What the benchmarks of a training step have in common: prognet's loop against PyTorch with each form of its optimizer.
import { best, node, python, race, row } from './harness.mjs';

const roofline = 'roofline: its matrix products alone';

export async function raceStep(kind, bar) {
  const forms = { 'PyTorch, Adam as it comes': 'default', 'PyTorch, Adam foreach': 'foreach', 'PyTorch, Adam fused': 'fused' };
  const peers = Object.fromEntries(Object.entries(forms).map(([name, form]) => [name, python('step-torch.py', kind, form)]));
  const results = await race(
    {
      prognet: node('step-prognet.mjs', kind),
      [roofline]: node('step-roofline.mjs', kind),
      ...peers,
    },
    { rounds: 9 },
  );
  const fastest = best(results, Object.keys(peers));
  const what = kind === 'dense' ? 'step of a dense column, 784-512-512-10' : 'step of a convolutional column, 16-32-64 filters';
  const rows = Object.keys(peers).map((peer) =>
    row(`${what}, batch 128, adam`, results, 'prognet', peer, peer === fastest ? bar : undefined),
  );
  rows.push(row('the same', results, 'prognet', roofline));
  const [floor, peer] = [results[roofline].median, results[fastest].median];
  const rest =
    kind === 'dense'
      ? 'no step on it can have a smaller ratio. What lies between that and ours are the ten passes of adam over parameters and moments, an op each, which PyTorch does in one ("Where the time goes")'
      : 'what lies between that and ours are the gathering of windows, pooling and its gradient, and elementwise ops ("Where the time goes")';
  const rate = results[roofline].last.gflops.toFixed(0);
  const note = `The step's matrix products alone, on the same ONNX Runtime, take ${(floor / peer).toFixed(2)} of PyTorch's whole step, at ${rate} GFLOP/s: ${rest}.`;
  return { rows, notes: [note] };
}
