import type { Client } from '@keyswarm/sdk';
import { isKeyswarmError } from '@keyswarm/sdk';
import type { Link } from './cut-link.ts';
import { demoFleet, demoLeaseSeconds, demoStepMsMax } from './demo-limits.ts';
import type { DemoLoad } from './demo-load.ts';
import type { StepId } from './demo-messages.ts';
import type { Holder, Holders } from './holders.ts';

/** What a step may use. */
export interface Scene {
  readonly root: Client;
  readonly holders: Holders;
  readonly keyspace: { readonly id: string; readonly name: string };
  readonly load: DemoLoad;
  readonly link: Link;
  /** The node whose wire can be cut. */
  readonly east: Client;
  readonly say: (id: StepId, detail: string) => void;
}

interface Step {
  readonly id: StepId;
  /** What was seen; throws where it is not what was promised. */
  readonly play: (scene: Scene) => Promise<string>;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const steadyMs = 12_000;
const revocations = 16;

/** In this order, after the issuing. */
export const storySteps: readonly Step[] = [
  { id: 'verify', play: verifySteadily },
  { id: 'revoke', play: revokeSome },
  { id: 'rotate', play: forceRotation },
  { id: 'cut', play: cutOff },
  { id: 'heal', play: letBack },
];

async function verifySteadily({ load, say }: Scene): Promise<string> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < steadyMs) {
    await sleep(1000);
    say('verify', countedText(load));
  }
  if (load.counts.wrong > 0) throw new Error(`${load.counts.wrong} valid keys were refused.`);
  return countedText(load);
}

function countedText({ counts }: DemoLoad): string {
  const { answered, refused, wrong } = counts;
  return `${answered.toLocaleString('en')} answered from memory, ${refused} refused rightly, ${wrong} wrongly.`;
}

/** Each answered once every verifier has said that it knows. */
async function revokeSome({ root, holders, say }: Scene): Promise<string> {
  const tookMs: number[] = [];
  let asked = 0;
  for (const holder of holders.all.slice(demoFleet, demoFleet + revocations)) {
    // A refusal from here on is right: the answer of the revocation may come after it.
    holder.revokedAtMs = Date.now();
    const startedMs = performance.now();
    const reply = await root.call('revokeKey', {
      params: { id: holder.id },
      query: { wait: 'effective' },
      body: { reason: 'demonstration' },
    });
    tookMs.push(performance.now() - startedMs);
    if ((reply.effective?.laggards.length ?? 0) > 0) throw new Error('A verifier did not say that it knows.');
    asked = Math.max(asked, reply.effective?.verifiers ?? 0);
    say('revoke', `${tookMs.length} of ${revocations}`);
    await sleep(500);
  }
  const sorted = tookMs.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  return `${revocations} keys; each known to all ${asked} verifiers after ${median.toFixed(0)} ms, the slowest after ${(sorted.at(-1) ?? 0).toFixed(0)} ms.`;
}

/** A campaign asks the fleet to renew; its holders do so by themselves, and both secrets work meanwhile. */
async function forceRotation({ root, holders, keyspace, load, say }: Scene): Promise<string> {
  const wrongBefore = load.counts.wrong;
  const owner = await root.owners.find({ kind: 'service', external_id: 'fleet' });
  if (owner === undefined) throw new Error('The fleet has an owner.');
  const { campaign } = await root.campaigns.start({
    kind: 'rotate',
    name: 'Rotate the fleet',
    reason: 'demonstration',
    selector: { keyspace: keyspace.id, owner: owner.id },
    window_seconds: 6,
    canary: { hold_seconds: 2 },
    pace: { verify_p99_ms: 1000, error_budget: 0.5 },
  });
  if (campaign === undefined) throw new Error('The campaign did not begin.');
  const endMs = performance.now() + demoStepMsMax;
  let renewed = 0;
  while (renewed < demoFleet && performance.now() < endMs) {
    await sleep(500);
    renewed = holders.renewed;
    say('rotate', `${renewed} of ${demoFleet} holders have renewed, under load`);
  }
  const wrong = load.counts.wrong - wrongBefore;
  if (wrong > 0) throw new Error(`${wrong} valid keys were refused.`);
  if (renewed < demoFleet)
    return `${renewed} of ${demoFleet} holders have renewed so far; no valid key was refused.`;
  return `${renewed} holders renewed by themselves under load; no valid key was refused.`;
}

/** The promise at its hardest: a revocation that the verifier can not hear of. */
async function cutOff(scene: Scene): Promise<string> {
  const { root, holders, keyspace, link, east, say } = scene;
  const holder = holders.all[demoFleet + revocations];
  if (holder === undefined) throw new Error('There are more holders than that.');
  link.cut();
  await sleep(300);
  holder.revokedAtMs = Date.now();
  const { effective_by } = await root.keys.revoke(holder.id, { reason: 'demonstration' });
  const ackMs = performance.now();
  const boundMs = Math.max(0, Date.parse(effective_by) - Date.now());
  const seen = { lastValidMs: undefined as number | undefined, stale: 0 };
  while (performance.now() - ackMs < boundMs + 3_000) {
    await askEast(east, holder, keyspace.name, ackMs, seen);
    say('cut', `edge-east: ${seen.stale > 0 ? `${seen.stale} times 503 stale` : 'still within its lease'}`);
    await sleep(40);
  }
  const last = seen.lastValidMs;
  if (last !== undefined && last > boundMs)
    throw new Error(`It accepted the key after the bound, at ${last} ms.`);
  if (seen.stale === 0) throw new Error('It went on answering past its lease.');
  const said =
    last === undefined ? 'never accepted it' : `last accepted it ${(last / 1000).toFixed(1)} s after`;
  return `Its wire cut, a key revoked: edge-east ${said}; promised ${(boundMs / 1000).toFixed(1)} s. Since then ${seen.stale} times 503 stale.`;
}

async function askEast(
  east: Client,
  { secret }: Holder,
  keyspace: string,
  ackMs: number,
  seen: { lastValidMs: number | undefined; stale: number },
): Promise<void> {
  try {
    const { valid } = await east.keys.verify({ key: secret, keyspace, scopes: [] }, { attemptsMax: 1 });
    // The instant at which the answer came is later than that of the decision: never too early.
    if (valid) seen.lastValidMs = performance.now() - ackMs;
  } catch (error) {
    if (isKeyswarmError(error, 'stale')) seen.stale += 1;
  }
}

async function letBack({ holders, keyspace, link, east }: Scene): Promise<string> {
  const holder = holders.all[demoFleet + revocations];
  if (holder === undefined) throw new Error('There are more holders than that.');
  link.mend();
  const startedMs = performance.now();
  while (performance.now() - startedMs < demoLeaseSeconds * 1000 + demoStepMsMax / 2) {
    const verdict = await east.keys
      .verify({ key: holder.secret, keyspace: keyspace.name, scopes: [] }, { attemptsMax: 1 })
      .catch(() => undefined);
    if (verdict?.valid === true) throw new Error('It accepts a key that was revoked.');
    if (verdict !== undefined) {
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      return `Fresh again ${seconds} s after its wire was mended, by itself, and says "${verdict.code}".`;
    }
    await sleep(50);
  }
  throw new Error('It did not become fresh again.');
}
