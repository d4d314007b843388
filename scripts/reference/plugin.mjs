// For typedoc: what the pages show as people write it, and what must have a doc comment.
// - functions whose parameters are a tuple in the declarations show them one by one;
// - what a class or an interface inherits from another one on these pages stands there alone;
// - a union of names that is computed is shown as these names (@useDeclaredType);
// - options of layers, heads and initialisers are told by the JSON Schema.
import { readFileSync } from 'node:fs';
import {
  Comment,
  Converter,
  IntrinsicType,
  LiteralType,
  ParameterReflection,
  ReflectionFlag,
  ReflectionKind,
  UnionType,
} from 'typedoc';

const schema = JSON.parse(readFileSync(new URL('../../models/prognet.schema.json', import.meta.url), 'utf8'));
/** Interface that holds options by name, and the definition of the JSON Schema that tells them. */
const told = {
  Layers: 'layer',
  LayerValues: 'layer',
  FilledLayers: 'layer',
  Steps: 'step',
  StepValues: 'step',
  FilledSteps: 'step',
  Heads: 'head',
  HeadValues: 'head',
  FilledHeads: 'head',
  Inits: 'init',
  InitValues: 'init',
  FilledInits: 'init',
};
const modules = {
  index: 'prognet',
  node: 'prognet/node',
  web: 'prognet/web',
  onnx: 'prognet/onnx',
  'onnx/index': 'prognet/onnx',
  'onnx/node': 'prognet/onnx/node',
};
/** Kinds that must have a doc comment, unless they stand in an object type or a signature. */
const documented =
  ReflectionKind.Class |
  ReflectionKind.Interface |
  ReflectionKind.TypeAlias |
  ReflectionKind.Variable |
  ReflectionKind.Function |
  ReflectionKind.Method |
  ReflectionKind.Accessor |
  ReflectionKind.Property;

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_SIGNATURE, (_context, signature) => {
    const last = signature.parameters?.at(-1);
    if (!last?.flags.isRest || last.type?.type !== 'tuple') return;
    const parameters = last.type.elements.map((element, i) => {
      const named = element.type === 'namedTupleMember';
      const parameter = new ParameterReflection(named ? element.name : `argument${i + 1}`, ReflectionKind.Parameter, signature);
      parameter.type = named ? element.element : element;
      if (named && element.isOptional) parameter.setFlag(ReflectionFlag.Optional, true);
      return parameter;
    });
    signature.parameters = [...signature.parameters.slice(0, -1), ...parameters];
  });
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (!reflection.kindOf(ReflectionKind.TypeAlias) || reflection.type?.type !== 'reference') return;
    const symbol = context.getSymbolFromReflection(reflection);
    const union = symbol && context.checker.getDeclaredTypeOfSymbol(symbol);
    if (reflection.type.name === reflection.name && union?.types?.every((t) => typeof t.value === 'string'))
      reflection.type = new UnionType(union.types.map((t) => new LiteralType(t.value)));
    else if (reflection.type.name === reflection.name && typeof union?.value === 'string')
      reflection.type = new LiteralType(union.value);
  });
  app.converter.on(Converter.EVENT_RESOLVE_END, (context) => {
    for (const reflection of Object.values(context.project.reflections)) {
      if (reflection.inheritedFrom?.reflection) context.project.removeReflection(reflection);
      else delete reflection.inheritedFrom;
    }
    for (const reflection of Object.values(context.project.reflections)) {
      if (reflection.kindOf(ReflectionKind.Module)) reflection.name = modules[reflection.name] ?? reflection.name;
      if (reflection.kindOf(ReflectionKind.Interface) && reflection.name in told) tell(reflection, told[reflection.name]);
    }
    for (const reflection of Object.values(context.project.reflections)) {
      if (!reflection.kindOf(documented) || inType(reflection) || isTold(reflection)) continue;
      app.logger.warn(`${reflection.getFullName()} has no doc comment`);
    }
  });
}

const inType = (reflection) =>
  reflection.parent !== undefined &&
  (reflection.parent.kindOf(ReflectionKind.TypeLiteral | ReflectionKind.SomeSignature) || inType(reflection.parent));

const isTold = (reflection) =>
  reflection.hasComment() ||
  reflection.signatures?.some((s) => s.hasComment()) ||
  reflection.getSignature?.hasComment() ||
  reflection.type?.declaration?.signatures?.some((s) => s.hasComment()) ||
  reflection.isInherited;

function tell(reflection, definition) {
  for (const property of reflection.children ?? []) {
    const found = schema.$defs[definition].anyOf.map(({ properties }) => properties?.[property.name]).find(Boolean);
    comment(property, found?.description);
    const options = [found, ...(found?.anyOf ?? [])].map((form) => form?.properties).find(Boolean) ?? {};
    for (const option of property.type?.declaration?.children ?? []) comment(option, options[option.name]?.description);
    if (property.type?.declaration?.children === undefined && property.type?.type === 'reflection')
      property.type = new IntrinsicType('{}');
  }
}

function comment(reflection, text) {
  if (text !== undefined && !reflection.hasComment()) reflection.comment = new Comment([{ kind: 'text', text }]);
}
