// prognet deploy

import { forms, routable } from '../../model/progressive/forms.js';
import { UsageError } from '../../onnx/core/errors.js';
import type { PrecisionName } from '../../onnx/precision/quantize.js';
import { deployTasks, targets } from '../../tasks/deploy.js';
import { frozenOf, loadWorkspace, someFrozen } from '../../tasks/load-workspace.js';
import { integerFlag } from '../flags.js';
import { noteLeftOut } from '../left-out.js';
import { note, result, shellWord } from '../report.js';
import { openRuntime, type RuntimeFlags } from '../runtime.js';
import { precisionFlag } from './export.js';

export interface DeployFlags extends RuntimeFlags {
  readonly output: string;
  readonly tasks?: string;
  readonly form: string;
  readonly precision: string;
  readonly maxBatch?: string;
  readonly storageUri?: string;
  readonly webgpu?: boolean;
  readonly samples: boolean;
}

export async function deploy(name: string, flags: DeployFlags): Promise<void> {
  const target = targets.find((t) => t === name);
  const expected = targets.join(', ');
  if (target === undefined)
    throw new UsageError(`unknown target "${name}", expected one of ${expected}`, { expected, got: name });
  const { storageUri } = flags;
  const form = forms.find((f) => f === flags.form);
  if (form === undefined) {
    const known = forms.join(', ');
    throw new UsageError(`--form: found "${flags.form}", expected one of ${known}`, {
      path: '--form',
      expected: known,
      got: flags.form,
    });
  }
  if (target === 'web' && (flags.tasks !== undefined || form !== 'task' || flags.precision !== 'fp32'))
    throw new UsageError(
      'web takes the network as it is, float32 with every trained task: leave out --tasks, --form and --precision',
    );
  if (storageUri !== undefined && target !== 'kserve')
    throw new UsageError('--storage-uri is for kserve', { path: '--storage-uri' });
  if (storageUri !== undefined && !/^[a-z][a-z\d+.-]*:\/\/[^\s/]\S*$/i.test(storageUri)) {
    const right = 'a URI such as s3://bucket/models or pvc://claim/models';
    throw new UsageError(`--storage-uri: found "${storageUri}", expected ${right}`, {
      path: '--storage-uri',
      expected: right,
      got: storageUri,
    });
  }
  if (target !== 'web' && (flags.webgpu === true || !flags.samples))
    throw new UsageError(`${flags.samples ? '--webgpu' : '--no-samples'} is for web`, {
      path: flags.samples ? '--webgpu' : '--no-samples',
    });
  if (flags.maxBatch !== undefined && target !== 'triton' && target !== 'kserve')
    throw new UsageError('--max-batch is for triton and kserve', { path: '--max-batch' });
  const precision: PrecisionName = precisionFlag(flags.precision);
  if (form === 'routed' && precision === 'int8')
    throw new UsageError('--precision int8 does not go into the branches of a routed model, expected fp16 or int8-dynamic', {
      path: '--precision',
    });
  const maxBatch = integerFlag('--max-batch', flags.maxBatch);
  const loaded = loadWorkspace(flags.workspace ?? '.');
  const frozen = () => (form === 'routed' ? routable(loaded.columns, someFrozen(loaded)) : someFrozen(loaded));
  const tasks = flags.tasks === undefined ? frozen() : [...new Set(flags.tasks.split(',').map((t) => t.trim()))];
  if (flags.tasks === undefined) noteLeftOut(flags, loaded);
  for (const task of tasks) frozenOf(loaded, task);
  const deployed = await deployTasks(loaded, flags.output, {
    target,
    tasks,
    form,
    ...(maxBatch === undefined ? {} : { maxBatch }),
    ...(storageUri === undefined ? {} : { storageUri }),
    ...(target === 'web' && {
      page: {
        runtime: (await openRuntime(flags)).runtime,
        webgpu: flags.webgpu === true,
        samples: flags.samples,
        onNote: (line: string) => note(flags, line),
      },
    }),
    ...(precision === 'fp32' ? {} : { precision: { precision, runtime: (await openRuntime(flags)).runtime } }),
  });
  const folder = shellWord(flags.output);
  const next = {
    triton: `tritonserver --model-repository=${folder}`,
    kserve: `README.md in ${flags.output}`,
    mlserver: `cd ${folder} && pip install -r requirements.txt && mlserver start .`,
    web: `serve ${flags.output} by any web server, as in npx serve ${folder}`,
    node: `cd ${folder} && npm ci --omit=dev --ignore-scripts && npm start`,
  };
  result(flags, deployed, `${flags.output} written: ${deployed.models.join(', ')} for ${target}. Next: ${next[target]}`);
}
