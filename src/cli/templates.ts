// Descriptions that `prognet init` begins with. models/mnist-three.yaml is the same text; a test compares the two.
export const mnistTemplate = `# Three tasks on MNIST: digits, the same inverted with noise, the same with its pixels permuted.
# yaml-language-server: $schema=./prognet.schema.json
prognet: 1
name: mnist-family
seed: 0
input: { name: image, shape: [1, 28, 28] }
columns:
  - task: digits
    data: mnist
    blocks:
      - [flatten, { dense: 256 }, relu, { dropout: 0.2 }]
      - [{ dense: 256 }, relu, { dropout: 0.2 }]
    head: { classify: 10 }
    train: { epochs: 10, batch: 128, lr: 0.002, schedule: cosine }
  - task: inverted
    data: { source: mnist, transform: [invert, { noise: { std: 0.2, seed: 1 } }] }
    # Grey noise on a bright ground: batch_norm centres what dense layers see.
    blocks:
      - [flatten, { dense: 256 }, batch_norm, relu, { dropout: 0.2 }]
      - [{ dense: 256 }, batch_norm, relu, { dropout: 0.2 }]
    head: { classify: 10 }
    laterals: { kind: adapter, rank: 64 }
    train: { epochs: 10, batch: 128, lr: 0.002, schedule: cosine }
  - task: permuted
    data: { source: mnist, transform: [{ permute: { seed: 1 } }] }
    like: digits
    laterals: { kind: adapter, rank: 64 }
    train: { epochs: 8, batch: 128, lr: 0.002, schedule: cosine }
`;
