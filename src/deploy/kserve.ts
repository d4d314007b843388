// A KServe InferenceService that serves the Triton model repository beside it. KServe, serving.kserve.io/v1beta1.
import { stringify } from 'yaml';
import type { BytePieces } from '../onnx/files/write-all.js';
import { type ServedFiles, type ServedModel, text } from './deployment.js';
import { type TritonOptions, tritonRepository } from './triton.js';

export interface KserveOptions {
  /** Of the network; made a name of Kubernetes. */
  readonly name: string;
  /** Where the cluster finds the folder `models`: s3://, gs://, pvc://, https:// ... */
  readonly storageUri: string;
  readonly triton?: TritonOptions;
}

/** `models/`, `inference-service.yaml` and a README. */
export function kserveFiles(models: readonly ServedModel[], options: KserveOptions): ServedFiles {
  const files = new Map<string, BytePieces>();
  for (const [path, bytes] of tritonRepository(models, options.triton)) files.set(`models/${path}`, bytes);
  files.set('inference-service.yaml', text(manifest(options)));
  files.set('README.md', text(readme(models, options)));
  return files;
}

function manifest({ name, storageUri }: KserveOptions): string {
  return stringify({
    apiVersion: 'serving.kserve.io/v1beta1',
    kind: 'InferenceService',
    metadata: { name: kubernetesName(name), labels: { 'app.kubernetes.io/managed-by': 'prognet' } },
    spec: {
      predictor: {
        minReplicas: 1,
        model: {
          modelFormat: { name: 'triton' },
          runtime: 'kserve-tritonserver',
          protocolVersion: 'v2',
          storageUri,
          resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '2Gi' } },
        },
      },
    },
  });
}

/** A DNS-1035 label: lower case, digits and hyphens, a letter first, at most 63. */
export function kubernetesName(name: string): string {
  const label = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return label === '' ? 'prognet' : label;
}

function readme(models: readonly ServedModel[], { name, storageUri }: KserveOptions): string {
  return `# ${name}

Written by \`prognet deploy kserve\`: a Triton model repository, models/, and the InferenceService that serves it.

1. Copy the content of models/ to ${storageUri} (or change storageUri in inference-service.yaml).
2. \`kubectl apply -f inference-service.yaml\`

Models: ${models.map((m) => m.name).join(', ')}. They speak the open inference protocol: POST /v2/models/<model>/infer.
`;
}
