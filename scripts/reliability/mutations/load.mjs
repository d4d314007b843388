// Loads models in ONNX Runtime, one message each: null, or why it refuses. A process of its own, since a damaged model may end it.
import { createRequire } from 'node:module';

const ort = createRequire(import.meta.url)('onnxruntime-node');

process.on('message', async ({ bytes }) => {
  let refused = null;
  try {
    // without optimisation nothing is folded, so that no constant of a terabyte is made
    const session = await ort.InferenceSession.create(Buffer.from(bytes, 'base64'), {
      graphOptimizationLevel: 'disabled',
      logSeverityLevel: 4,
      intraOpNumThreads: 1,
    });
    await session.release();
  } catch (error) {
    refused = String(error.message);
  }
  process.send({ refused });
});
process.send({ idle: true });
