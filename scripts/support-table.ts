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

/** Of the gradients of other packages, those cases that passed. */
interface Rivals {
  readonly versions: Readonly<Record<string, string>>;
  readonly ops: Readonly<
    Record<string, Readonly<Record<Rival, { readonly passed: number; readonly tried: number; readonly why?: string }>>>
  >;
}

type Rival = 'onnx-ad' | 'onnxsim';
const rivalNames: readonly Rival[] = ['onnx-ad', 'onnxsim'];

/** What test/onnx/ops/rivals.test.ts found. */
function rivals(): Rivals {
  return JSON.parse(readFileSync(new URL('../test/onnx/ops/rivals.json', import.meta.url), 'utf8'));
}

/** How many ops a rival has right in all cases, in some, in none. */
function tally({ ops }: Rivals, rival: Rival): string {
  const found = Object.values(ops).map((o) => o[rival]);
  const all = found.filter((f) => f.passed === f.tried).length;
  const none = found.filter((f) => f.passed === 0).length;
  return `${all} in all cases, ${found.length - all - none} in some, ${none} in none`;
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
  const peers = rivals();
  const asOther = (found?: { passed: number; tried: number }) => {
    if (found === undefined) return '';
    return found.passed === found.tried ? 'yes' : found.passed === 0 ? 'no' : `${found.passed} of ${found.tried}`;
  };
  const said = rivalNames.flatMap((rival) =>
    Object.entries(peers.ops).flatMap(([op, { [rival]: found }]) =>
      found.why === undefined || found.why.includes('no gradient rule') || found.why.includes('no reverse rule')
        ? []
        : [`- ${op}, ${rival}, ${found.passed} of ${found.tried}: ${found.why}`],
    ),
  );
  const rows = names.map((op) => {
    const tries = pages.map((p) => inPage(p, op)).join(' | ');
    const others = rivalNames.map((r) => asOther(peers.ops[op]?.[r])).join(' | ');
    return `| ${op} | ${versionsOf(op)} | yes | ${gradientOf(op)} | ${tested(op)} | ${tries} | ${others} |`;
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

Beside two other packages, onnx-ad ${peers.versions['onnx-ad']} and onnxsim ${peers.versions.onnxsim} (its module graph_grad), which get up to three of the shortest cases of each op with a rule here, in float32 and
with static shapes. "yes": each makes a gradient that onnxruntime ${peers.versions.onnxruntime} loads and that agrees with ours, which the full numeric Jacobian of the case confirms; "2 of 3": so many do. A case asks for the gradients by all of its
float inputs, scales and statistics among them: one that is missing or other is a "no".
\`sh scripts/rivals\` tries them, test/onnx/ops/rivals.json keeps what came of it. Of ${Object.keys(peers.ops).length} ops: onnx-ad ${tally(peers, 'onnx-ad')}; onnxsim ${tally(peers, 'onnxsim')}.

| op | versions | inference | gradient | tested on cpu | wasm | webgpu | onnx-ad | onnxsim |
|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}

Ops of ai.onnx that have a signature and no rules here; they are checked and carried, and no gradient goes through them:

${withoutRules.join('\n')}

So are all ops of ai.onnx.ml and com.microsoft, by the schemas of the Python packages onnx and onnxruntime.

What fails:

${failures.join('\n')}

What the other packages said, or where their numbers are others, but for ops that they have no rule for:

${said.join('\n')}
`;
}
