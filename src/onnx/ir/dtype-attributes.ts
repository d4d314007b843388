// The attributes of ai.onnx whose int is a TensorProto.DataType: the builder takes the name of a dtype for them, and the printer writes it.

/** Attributes of kind int that hold the number of a dtype. */
export const dtypeAttributes = [
  'to',
  'dtype',
  'output_dtype',
  'output_datatype',
  'precision',
  'softmax_precision',
  'stash_type',
] as const;

export type DTypeAttribute = (typeof dtypeAttributes)[number];

const names: ReadonlySet<string> = new Set(dtypeAttributes);

export function isDTypeAttribute(name: string): name is DTypeAttribute {
  return names.has(name);
}
