// Which providers work here: each probed once with the one-node session, its refusal kept; and the choice among those requested.
import { RuntimeError } from '../core/errors.js';
import type { ProviderReport, RequestedProvider, Selection } from './session.js';

/** Outcome of one probe; `reason` where it was refused. */
export interface Probe {
  readonly reason?: string;
}

export class Probes {
  private readonly found = new Map<string, Promise<Probe>>();

  /**
   * @param attempt builds, runs and releases a one-node session; throws what the provider says
   * @param last the provider that always works
   */
  constructor(
    private readonly attempt: (provider: string) => Promise<void>,
    private readonly explain: (provider: string, error: unknown) => string,
    readonly last: string,
  ) {}

  probe(provider: string): Promise<Probe> {
    const known = this.found.get(provider);
    if (known !== undefined) return known;
    const probe = this.attempt(provider).then(
      () => ({}),
      (error) => ({ reason: this.explain(provider, error) }),
    );
    this.found.set(provider, probe);
    return probe;
  }

  /** One after another: two providers that start at once take each other's time. */
  async report(names: readonly string[]): Promise<ProviderReport[]> {
    const reports: ProviderReport[] = [];
    for (const provider of names) {
      const { reason } = await this.probe(provider);
      reports.push(reason === undefined ? { provider, available: true } : { provider, available: false, reason });
    }
    return reports;
  }

  async select(requested: readonly RequestedProvider[]): Promise<Selection> {
    const refused: { provider: string; reason: string }[] = [];
    for (const { name, insist } of [...requested, { name: this.last, insist: true }]) {
      const { reason } = await this.probe(name);
      if (reason === undefined) return { provider: name, refused };
      if (insist) throw new RuntimeError(`${name} does not run here: ${reason}`, { got: name });
      refused.push({ provider: name, reason });
    }
    throw new RuntimeError(`no provider runs here: ${refused.map((r) => `${r.provider}: ${r.reason}`).join('; ')}`);
  }
}
