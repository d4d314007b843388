// A training step of a recurrent column: two LSTM layers of 128 over 28 steps of 28 numbers, beside PyTorch's.
import { best, node, python, race, row } from './harness.mjs';

async function run() {
  const forms = { 'PyTorch, Adam as it comes': 'default', 'PyTorch, Adam fused': 'fused' };
  const peers = Object.fromEntries(Object.entries(forms).map(([name, form]) => [name, python('step-torch.py', 'lstm', form)]));
  const results = await race({ prognet: node('step-prognet.mjs', 'lstm'), ...peers }, { rounds: 9 });
  const fastest = best(results, Object.keys(peers));
  const what = 'step of a column of two LSTM layers of 128, 28 steps, batch 128, adam';
  const rows = Object.keys(peers).map((peer) => row(what, results, 'prognet', peer, peer === fastest ? 1.2 : undefined));
  return { rows, notes: ["Ours is ONNX's op with its gradient as a Scan, which computes the gates a second time."] };
}

export const bench = { title: 'Training step, recurrent', run };
