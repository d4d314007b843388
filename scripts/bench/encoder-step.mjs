// A training step of a column of a transformer's layers: four of 256 over 64 windows of an image, beside PyTorch's.
import { best, node, python, race, row } from './harness.mjs';

async function run() {
  const forms = { 'PyTorch, Adam as it comes': 'default', 'PyTorch, Adam fused': 'fused' };
  const peers = Object.fromEntries(Object.entries(forms).map(([name, form]) => [name, python('step-torch.py', 'encoder', form)]));
  const results = await race({ prognet: node('step-prognet.mjs', 'encoder'), ...peers }, { rounds: 9 });
  const fastest = best(results, Object.keys(peers));
  const what = 'step of a column of four transformer encoder layers of 256, 8 heads, 64 steps, batch 32, adam';
  const rows = Object.keys(peers).map((peer) => row(what, results, 'prognet', peer, peer === fastest ? 1.2 : undefined));
  return {
    rows,
    notes: ["PyTorch's layer is nn.TransformerEncoderLayer with norm_first, without dropout; ours has no bias of keys."],
  };
}

export const bench = { title: 'Training step, transformer encoder', run };
