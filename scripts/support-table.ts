// The support table of docs/ops.md, from the op table and the gradient cases of the tests. Written by `sh scripts/support-table`; a test
// compares the file with what this gives.
import { readFileSync } from 'node:fs';
import { must } from '../src/onnx/core/errors.js';
import type { OpName, Signature } from '../src/onnx/ops/signature.js';
import { signatures } from '../src/onnx/ops/signatures.js';
import { findOp, table } from '../src/onnx/ops/table.js';
import { families } from '../test/onnx/ops/cases/all.js';
import { opsOf } from '../test/onnx/ops/gradient-case.js';

/** If, Loop and Scan are differentiated by the driver, with their subgraphs. */
const byDriver: ReadonlySet<string> = new Set(['If', 'Loop', 'Scan']);

/** Sequences and optionals of known length become tensors (onnx/passes/unpack-sequences.ts); any other is refused. */
const unpacked: ReadonlySet<string> = new Set([
  'ConcatFromSequence',
  'Optional',
  'OptionalGetElement',
  'SequenceAt',
  'SequenceConstruct',
  'SequenceErase',
  'SequenceInsert',
  'SequenceMap',
  'SplitToSequence',
]);

/** How many gradient cases, run on ONNX Runtime's CPU provider, hold each op. */
function caseCounts(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const cases of Object.values(families)) {
    for (const c of cases) for (const op of opsOf(c)) counts.set(op, (counts.get(op) ?? 0) + 1);
  }
  return counts;
}

interface Tried {
  readonly passed: readonly string[];
  readonly failed: Readonly<Record<string, string>>;
}

/** What test/onnx/ops/providers.test.ts found. */
function triedOn(provider: 'wasm' | 'webgpu'): Tried {
  return JSON.parse(readFileSync(new URL('../test/onnx/ops/providers.json', import.meta.url), 'utf8'))[provider];
}

/** The file as Markdown. */
export function supportTable(): string {
  const counts = caseCounts();
  const names = (Object.keys(table) as OpName[]).sort();
  const gradientOf = (op: OpName) => {
    if (byDriver.has(op)) return 'driver';
    if (unpacked.has(op)) return 'unpacked';
    const { gradient } = table[op];
    return typeof gradient === 'string' ? gradient : 'rule';
  };
  const versionsOf = (op: OpName) => {
    const { signature, since } = must(findOp(op), op);
    return signature.versions.filter((v) => v >= since).join(', ');
  };
  const tested = (op: OpName) => {
    if (byDriver.has(op)) return 'test/onnx/autodiff';
    if (unpacked.has(op)) return 'test/onnx/passes';
    return gradientOf(op) === 'rule' ? `${counts.get(op) ?? 0} cases` : '';
  };
  const pages = (['wasm', 'webgpu'] as const).map((provider) => ({ provider, ...triedOn(provider) }));
  const inPage = ({ passed, failed }: Tried, op: string) => (passed.includes(op) ? 'yes' : op in failed ? 'fails' : '');
  const rows = names.map((op) => {
    const tries = pages.map((p) => inPage(p, op)).join(' | ');
    return `| ${op} | ${versionsOf(op)} | yes | ${gradientOf(op)} | ${tested(op)} | ${tries} |`;
  });
  const withoutRules = Object.entries<Signature>(signatures)
    .filter(([op]) => findOp(op) === undefined)
    .map(([op, { versions, deprecated }]) => {
      const there = versions.filter((v) => v !== deprecated).join(', ');
      return `- ${op}, versions ${there}${deprecated === undefined ? '' : `; ONNX ended it at ${deprecated}`}`;
    });
  const failures = pages.flatMap(({ provider, failed }) =>
    Object.entries(failed).map(
      ([op, why]) => `- ${op} on ${provider}: ${why.replace(/^.*(?:Status Message|ERROR_MESSAGE): /, '')}`,
    ),
  );
  const count = (kind: string) => names.filter((op) => gradientOf(op) === kind).length;
  return `# Operators

Written by \`sh scripts/support-table\` from the op table (src/onnx/ops) and the gradient cases (test/onnx/ops/cases).

${names.length} ops of ai.onnx; gradients: ${count('rule')} by rule, ${count('driver')} by the driver (with their subgraphs), ${count('zero')} zero (piecewise constant,
integer or no float input), ${count('unpacked')} by taking sequences of known length apart, ${count('unsupported')} refused by name. Rules hold for opsets 13 to 26; a gradient is emitted in standard ops at the opset of its graph.
"Tested" counts the cases that compare a rule with a full numeric Jacobian on ONNX Runtime's CPU provider.

Under wasm and webgpu "yes" says that a case of the op and its gradient, in float32, gives the numbers of Node's CPU in a page of Chromium, WebGPU
being SwiftShader; what has no kernel there runs on wasm in the same session. test/onnx/ops/providers.test.ts runs them, providers.json holds what passed:
${pages.map(({ provider, passed, failed }) => `${passed.length} of ${passed.length + Object.keys(failed).length} on ${provider}`).join(', ')}.

| op | versions | inference | gradient | tested on cpu | wasm | webgpu |
|---|---|---|---|---|---|---|
${rows.join('\n')}

Ops of ai.onnx that have a signature and no rules here; they are checked and carried, and no gradient goes through them:

${withoutRules.join('\n')}

So are all ops of ai.onnx.ml and com.microsoft, by the schemas of the Python packages onnx and onnxruntime.

What fails:

${failures.join('\n')}
`;
}
