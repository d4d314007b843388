// prognet inspect
import * as z from 'zod';
import { categoriesName } from '../../model/description/features.js';
import { namesInMetadata } from '../../model/heads/output-names.js';
import { inputsInMetadata } from '../../model/progressive/forms.js';
import { formatInspection, inspectModel } from '../../onnx/ir/inspect.js';
import type { Model } from '../../onnx/ir/model.js';
import { loadModel } from '../../onnx/serde/external-data.js';
import { type GlobalOptions, result } from '../report.js';

const featureList = z.array(z.object({ name: z.string(), categories: z.array(z.string()).optional() }));
const inputs = z.array(z.object({ name: z.string(), features: featureList.optional() }));

/** What the numbers and texts of the inputs are, and what the outputs are called, as prognet wrote them into a model. */
function meanings({ metadata, graph }: Model): {
  features: Record<string, string[]>;
  classes: Record<string, readonly string[]>;
} {
  const apart = (name: string) => graph.inputs.some((v) => v.name === categoriesName(name));
  const found = inputs.safeParse(inputsInMetadata(metadata));
  const features: Record<string, string[]> = {};
  for (const { name, features: list = [] } of found.success ? found.data : [])
    for (const feature of list) {
      const { categories } = feature;
      const input = categories !== undefined && apart(name) ? categoriesName(name) : name;
      const called =
        categories === undefined ? feature.name : `${feature.name} (${categories.map((c) => JSON.stringify(c)).join(' ')})`;
      features[input] = [...(features[input] ?? []), called];
    }
  const tasks = (metadata.get('prognet.tasks') ?? '').split(',');
  const classes = tasks.flatMap((task) => {
    const names = namesInMetadata(metadata, task);
    return names === undefined ? [] : [[task, names] as const];
  });
  return { features, classes: Object.fromEntries(classes) };
}

const listed = (title: string, lists: Readonly<Record<string, readonly string[]>>): string =>
  Object.keys(lists).length === 0
    ? ''
    : `\n${title}\n${Object.entries(lists)
        .map(([name, texts]) => `  ${name}: ${texts.join(', ')}`)
        .join('\n')}`;

export function inspect(file: string, options: GlobalOptions): void {
  const model = loadModel(file);
  const found = inspectModel(model);
  const { features, classes } = meanings(model);
  const document = {
    ...found,
    ...(Object.keys(features).length > 0 && { features }),
    ...(Object.keys(classes).length > 0 && { classes }),
  };
  result(options, document, `${formatInspection(found)}${listed('features', features)}${listed('classes', classes)}`);
}
