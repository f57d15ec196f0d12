import { spread } from '../bound/revoke-all.ts';
import { isAccepted } from '../bound/verify-connection.ts';
import { Minting } from './minting.ts';
import { isRefusal, type Presented, Presenting } from './presenting.ts';
import { issueMany, kidOf, monotonicOf, type TokenHouse } from './token-house.ts';
import type { TokenReader } from './token-reader.ts';

export interface CompromiseOptions {
  readonly mintPerSecond: number;
  /** Of presentations, at each node. */
  readonly loadPerSecond: number;
  /** Before the rotation is forced, and after it has to be effective. */
  readonly seconds: number;
  readonly random: () => number;
}

interface Rotation {
  readonly kid: string;
  /** Verifiers may hear of it between this and the acknowledgement. */
  readonly sentAtMs: number;
  readonly ackAtMs: number;
  readonly effectiveAtMs: number;
}

/**
 * A private signing key is known to somebody else: it is revoked while tokens are made and presented all the time. After T
 * nothing that it signed is accepted; nothing that the next key signed is refused, neither here nor by a reader of the JWKS.
 */
export async function compromise(
  house: TokenHouse,
  reader: TokenReader,
  options: CompromiseOptions,
): Promise<void> {
  const { cluster } = house;
  const parents = await issueMany(cluster.api, house.opaque, 50);
  const seen: Presented[] = [];
  const nodes = cluster.nodes.map((node) => new Presenting(node, (one) => seen.push(one)));
  const minting = new Minting(house, {
    perSecond: options.mintPerSecond,
    parents,
    random: options.random,
    onMinted: (minted) => {
      for (const node of nodes) node.present(minted);
    },
  });
  minting.start();
  const pick = () => minting.made[Math.floor(options.random() * minting.made.length)];
  for (const node of nodes)
    node.startLoad({ perSecond: options.loadPerSecond, random: options.random, pick });
  await seconds(options.seconds);
  for (const { token, keyspace } of [...minting.made]) {
    const said = await reader.verify(token, keyspace.id);
    if (said !== 'valid') throw new Error(`the reader says ${said} of a good token`);
  }
  const fetchesBefore = reader.counts().jwksFetches;
  const rotation = await forceRotation(house);
  await seconds(options.seconds + (rotation.effectiveAtMs - rotation.ackAtMs) / 1000);
  await minting.stop();
  await Promise.all(nodes.map((node) => node.stop()));
  const notSent = nodes.reduce((sum, node) => sum + node.notSent, 0);
  judge(house, rotation, { minting, seen, notSent });
  await judgeReader(house, reader, { rotation, minting, fetchesBefore });
}

async function forceRotation({ cluster }: TokenHouse): Promise<Rotation> {
  const { body } = await cluster.api.call('GET', '/v1/signing-keys');
  const items = body.items as readonly { readonly id: string; readonly state: string }[];
  const kid = items.find(({ state }) => state === 'active')?.id;
  if (kid === undefined) throw new Error('there is no active signing key');
  const sentAtMs = performance.now();
  const reply = await cluster.api.call('POST', `/v1/signing-keys/${kid}/revoke`, {});
  const ackAtMs = performance.now();
  if (reply.status !== 200) throw new Error(`revoke: ${reply.status} ${JSON.stringify(reply.body)}`);
  return { kid, sentAtMs, ackAtMs, effectiveAtMs: monotonicOf(reply.body.effective_by) };
}

interface Found {
  readonly minting: Minting;
  readonly seen: readonly Presented[];
  readonly notSent: number;
}

function judge(house: TokenHouse, rotation: Rotation, { minting, seen, notSent }: Found): void {
  const { kid, ackAtMs, effectiveAtMs } = rotation;
  const isOld = ({ minted }: Presented) => minted.kid === kid;
  const late = minting.made.filter((minted) => minted.kid === kid && minted.askedAtMs > ackAtMs);
  if (late.length > 0)
    throw new Error(`${late.length} tokens were signed with the revoked key after its end`);
  const old = seen.filter(isOld);
  const fresh = seen.filter((one) => !isOld(one));
  const accepted = old.filter(({ verdict }) => isAccepted(verdict));
  const tooLate = accepted.filter(({ verdict }) => verdict.sentAtMs > effectiveAtMs);
  if (tooLate.length > 0) throw new Error(`${tooLate.length} old tokens were accepted after T`);
  const refused = fresh.filter(isRefusal);
  if (refused.length > 0)
    throw new Error(`${refused.length} new tokens were refused: ${refused[0]?.verdict.code}`);
  const before = old.filter((one) => one.verdict.receivedAtMs < rotation.sentAtMs && isRefusal(one));
  if (before.length > 0) throw new Error(`${before.length} tokens were refused before anything had happened`);
  const afterT = old.filter(({ verdict }) => verdict.sentAtMs > effectiveAtMs).length;
  if (afterT === 0 || fresh.length === 0) throw new Error('nothing was presented after it: nothing is shown');
  const made = minting.made.filter((minted) => minted.kid !== kid).length;
  const windowsMs = accepted.map(({ verdict }) => Math.max(0, verdict.receivedAtMs - ackAtMs));
  const last = windowsMs.reduce((most, ms) => Math.max(most, ms), 0);
  house.report(
    'signing key revoked',
    `${minting.made.length - made} old and ${made} new tokens made (${minting.notTaken} not taken); ` +
      `last acceptance of an old one ${last.toFixed(1)} ms after the ack; ` +
      `0 of ${afterT} accepted after T (${((effectiveAtMs - ackAtMs) / 1000).toFixed(1)} s); of new ones ${fresh.length} presented, 0 refused; ` +
      `not available ${JSON.stringify(unavailableIn(seen))}, ${notSent} not sent`,
  );
  house.report('first sight of new ones', spread(firstSights(fresh)));
}

/** What was answered in place of a verdict, and how often. */
function unavailableIn(seen: readonly Presented[]): Readonly<Record<string, number>> {
  const codes: Record<string, number> = {};
  for (const { verdict } of seen)
    if (verdict.status !== 200) codes[verdict.code] = (codes[verdict.code] ?? 0) + 1;
  return codes;
}

/** From when a token was sent for the first time to its answer. */
function firstSights(seen: readonly Presented[]): readonly number[] {
  const first = new Set<string>();
  const found: number[] = [];
  for (const { minted, verdict } of seen) {
    if (first.has(minted.token)) continue;
    first.add(minted.token);
    found.push(verdict.receivedAtMs - verdict.sentAtMs);
  }
  return found.sort((a, b) => a - b);
}

/** New tokens are signed by a key that stood in the JWKS long before: no reader has to fetch it for them. */
async function judgeReader(
  house: TokenHouse,
  reader: TokenReader,
  found: { readonly rotation: Rotation; readonly minting: Minting; readonly fetchesBefore: number },
): Promise<void> {
  const { rotation, minting } = found;
  const fresh = minting.made.filter(({ kid }) => kid !== rotation.kid);
  for (const { token, keyspace } of fresh) {
    const said = await reader.verify(token, keyspace.id);
    if (said !== 'valid') throw new Error(`the reader says ${said} of a new token`);
  }
  const fetches = reader.counts().jwksFetches - found.fetchesBefore;
  if (fetches > 0) throw new Error(`the rotation made the reader fetch the JWKS ${fetches} times`);
  house.report(
    'reader of the JWKS',
    `${fresh.length} new tokens valid, ${fetches} fetches of the JWKS on account of the rotation`,
  );
  const others = new Set(fresh.map(({ token }) => kidOf(token)));
  if (others.size !== 1) throw new Error(`new tokens are signed by ${others.size} keys`);
}

async function seconds(count: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, count * 1000));
}
