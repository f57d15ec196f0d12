import { parseArgs } from 'node:util';
import {
  createResidentVerifier,
  type Fact,
  ManualVerifierClock,
  readSnapshot,
  type SnapshotSink,
  writeSnapshot,
} from '@keyswarm/verifier';
import { median } from '../spine/median.ts';
import { type ReportRow, reportText } from '../spine/report.ts';
import { fleetFacts } from './fleet-facts.ts';

/*
 * npm run bench:snapshot -- [--keys 1000000] [--rounds 3] [--json]
 *
 * A relay's whole table onto the wire and off it again into another one. The floor is what any reader has to do at
 * least: make an object of each key and put it into a Map by its id.
 */

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});

const keys = Number(values.keys);
const clock = new ManualVerifierClock(1_800_000_000_000);
const heads = { epoch: 1, seqs: [0] };
const signal = new AbortController().signal;
const writer = createResidentVerifier({ clock });
const filling = writer.startSnapshot();
for (const fact of fleetFacts(keys)) tell(filling, fact);
filling.finish(heads);

const rounds: { writeS: number; readS: number; floorS: number; bytes: number }[] = [];
for (let round = 0; round < Number(values.rounds); round += 1) rounds.push(await runRound());
console.log(reportText(rows(), { json: values.json }));

async function runRound() {
  const chunks: Uint8Array[] = [];
  const writeS = await secondsOf(async () => {
    const reading = { heads, ageMs: 0, facts: writer.facts(), tail: () => ({ stretches: [], heads }) };
    for await (const chunk of writeSnapshot(reading, signal)) chunks.push(chunk);
  });
  const readS = await secondsOf(async () => {
    const load = createResidentVerifier({ clock }).startSnapshot();
    await readSnapshot(feed(chunks), sinkOf(load), signal);
    load.finish(heads);
  });
  const floorS = await secondsOf(async () => {
    const map = new Map<string, object>();
    for (const { fact } of writer.facts()) map.set(fact.id, { ...fact });
  });
  return { writeS, readS, floorS, bytes: chunks.reduce((sum, { length }) => sum + length, 0) };
}

async function* feed(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function sinkOf(load: ReturnType<typeof writer.startSnapshot>): SnapshotSink {
  return {
    key: (fact) => load.applyKey(fact),
    owner: (fact) => load.applyOwner(fact),
    keyspace: (fact) => load.applyKeyspace(fact),
    signingKey: (fact) => load.applySigningKey(fact),
    stretch: (stretch) => load.applyStretch(stretch),
  };
}

function tell(load: ReturnType<typeof writer.startSnapshot>, { kind, fact }: Fact): void {
  if (kind === 'key') load.applyKey(fact);
  else if (kind === 'owner') load.applyOwner(fact);
  else if (kind === 'signingKey') load.applySigningKey(fact);
  else load.applyKeyspace(fact);
}

async function secondsOf(run: () => Promise<void>): Promise<number> {
  const fromMs = performance.now();
  await run();
  return (performance.now() - fromMs) / 1000;
}

function rows(): readonly ReportRow[] {
  const of = (take: (round: (typeof rounds)[number]) => number) => median(rounds.map(take));
  const floorS = of(({ floorS }) => floorS);
  const count = keys.toLocaleString('en-US');
  const timed = (name: string, ours: number, goal: ReportRow['goal']): ReportRow => ({
    name: `${name} ${count} keys`,
    against: 'read the table into a Map of objects',
    unit: 's',
    ours,
    peer: floorS,
    ratio: null,
    goal,
  });
  return [
    timed(
      'write',
      of(({ writeS }) => writeS),
      null,
    ),
    timed(
      'read and apply',
      of(({ readS }) => readS),
      keys === 1_000_000 ? { atMost: 5 } : null,
    ),
    {
      name: 'on the wire',
      against: 'owners and scope sets included',
      unit: 'bytes/key',
      ours: of(({ bytes }) => bytes) / keys,
      peer: null,
      ratio: null,
      goal: null,
    },
  ];
}
