// The proof that earlier tasks did not move while another was taught.
import type { State } from './state.js';

const short = (hash: string): string => (hash === '' ? 'no hash here' : `${hash.slice(0, 10)}…`);

export function ProofPanel({ state }: { readonly state: State }) {
  const { proof } = state;
  if (proof === undefined)
    return (
      <p class="quiet">
        After each lesson, every earlier column is hashed again and asked again, by sessions made anew, and both are compared with
        what they were before it.
      </p>
    );
  if (proof.rows.length === 0) return <p>{proof.taught} is the first task: there was nothing that could have moved.</p>;
  return (
    <>
      <p class={proof.holds ? 'holds' : 'problem'}>
        {proof.holds
          ? `Nothing moved. While ${proof.taught} was taught, the weights and the outputs of every earlier task stayed as they were, bit for bit.`
          : `Something moved while ${proof.taught} was taught. This must not happen: please report it.`}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Before and after">
        <table>
          <thead>
            <tr>
              <th scope="col">Task</th>
              <th scope="col">SHA-256 before and after</th>
              <th scope="col">Outputs</th>
            </tr>
          </thead>
          <tbody>
            {proof.rows.map((row) => (
              <tr key={row.task}>
                <th scope="row">{row.task}</th>
                <td class="hash">
                  <code title={row.before}>{short(row.before)}</code> <code title={row.after}>{short(row.after)}</code>
                </td>
                <td>{row.moved === 0 ? `${row.outputs} identical` : `${row.moved} of ${row.outputs} differ`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p class="quiet small">Asked about {proof.probes} samples: examples of the lesson, and noise.</p>
    </>
  );
}
