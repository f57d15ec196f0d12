import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ManualVerifierClock } from '../clock/manual-verifier-clock.ts';
import { createResidentVerifier } from '../resident-verifier.ts';
import {
  keyFact,
  keyRow,
  keyString,
  keyspaceFact,
  ownerFact,
  sampleSeed,
  startMs,
} from '../testing/sample-facts.arbitrary.ts';
import type { ResidentVerifier } from '../verifier-port.ts';

/* Every cell of the table of lease states in SPEC.md, tried on the verifier as it is built. */

const leaseMs = 30_000;

class Bench {
  readonly clock = new ManualVerifierClock(startMs, 1_000_000);
  verifier: ResidentVerifier = this.restarted();
  basedAtMs = this.clock.monotonicMs();

  restarted(): ResidentVerifier {
    return createResidentVerifier({ clock: this.clock, shards: 1, indexSeed: sampleSeed });
  }

  snapshot(seq: number): void {
    const load = this.verifier.startSnapshot();
    load.applyKeyspace(keyspaceFact(1, { leaseMs }));
    load.applyOwner(ownerFact(1));
    load.applyKey(keyFact(1));
    load.finish({ epoch: 1, seqs: [seq] });
  }

  answer(): void {
    this.basedAtMs = this.clock.monotonicMs();
    this.verifier.renewLease(this.basedAtMs);
  }

  get state(): string {
    const { verifier } = this;
    // A verdict is what notices that the clocks disagree.
    const said = verifier.verify(keyString(1), {}).code;
    const { leaseAgeMs } = verifier.stats();
    if (!verifier.ready) return 'loading';
    if (leaseAgeMs === Number.POSITIVE_INFINITY) return 'unleased';
    expect(said).toBe(leaseAgeMs <= leaseMs ? 'valid' : 'stale');
    if (leaseAgeMs <= leaseMs / 2) return 'fresh';
    return leaseAgeMs <= leaseMs ? 'aging' : 'stale';
  }
}

function leased(ageMs: number) {
  return (bench: Bench) => {
    bench.snapshot(0);
    bench.verifier.applyRow(keyRow(1, keyFact(1), { keyspace: keyspaceFact(1, { leaseMs }) }));
    bench.answer();
    bench.clock.advance(ageMs);
  };
}

const states: Readonly<Record<string, (bench: Bench) => void>> = {
  loading: () => {},
  unleased: (bench) => {
    leased(10)(bench);
    bench.snapshot(0);
  },
  fresh: leased(leaseMs / 2),
  aging: leased(leaseMs / 2 + 1),
  stale: leased(leaseMs + 1),
};

const events: Readonly<Record<string, (bench: Bench) => void>> = {
  'snapshot, not behind': (bench) => bench.snapshot(1),
  'snapshot, behind': (bench) => bench.snapshot(0),
  'answer, all applied': (bench) => {
    bench.clock.advance(1);
    bench.answer();
  },
  'answer, older base': (bench) => bench.verifier.renewLease(bench.basedAtMs - 1),
  'time passes': (bench) => bench.clock.advance(leaseMs / 2),
  'clocks disagree': (bench) => bench.clock.stepWall(-3_600_000),
  // What asks is refused; nothing reaches the verifier.
  'credential refused': () => {},
  restart: (bench) => {
    bench.verifier = bench.restarted();
  },
};

const spec = readFileSync(new URL('../../SPEC.md', import.meta.url), 'utf8');
const cellsOf = (line: string) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.replaceAll('*', '').trim());
const table = spec.slice(spec.indexOf('## States of the lease'), spec.indexOf('## The rules'));
const [heading = [], , ...rows] = table
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map(cellsOf);
const cells = rows.flatMap(([from = '', ...landings]) =>
  landings.map((to, at) => ({ from, event: heading[at + 1] ?? '', to })),
);

describe('the lease states of SPEC.md', () => {
  it('are all of them, with every event', () => {
    expect(rows.map(([state]) => state)).toEqual(Object.keys(states));
    expect(heading.slice(1)).toEqual(Object.keys(events));
  });

  it.each(cells)('$from, $event: $to', ({ from, event, to }) => {
    const bench = new Bench();
    states[from]?.(bench);
    expect(bench.state).toBe(from);
    events[event]?.(bench);
    expect(bench.state).toBe(to);
  });
});
