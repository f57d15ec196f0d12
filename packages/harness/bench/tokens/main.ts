import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { algorithms, type SigningAlgorithm, signingAlgorithms } from '@keyswarm/core';
import { StatusBitmap, statusOf } from '@keyswarm/server/status-list';
import { createVerifier } from 'fast-jwt';
import { jwtVerify } from 'jose';
import { median } from '../spine/median.ts';
import { type ReportRow, reportText } from '../spine/report.ts';
import { type TokenFixture, tokenFixture } from './fixture.ts';

/*
 * npm run bench:tokens -- [--tokens 400] [--rounds 15] [--json]
 *
 * A token verified for the first time, with everything that a verdict is, against the bare signature verification of the
 * same bytes (nothing read, nothing checked), and against two libraries that read and check less: neither knows of a
 * revocation. Then the same token again. All see the same tokens in rounds that follow one another; a ratio is the median of
 * the rounds'. Last, a full status list of which a hundredth is revoked.
 */

const { values } = parseArgs({
  options: {
    tokens: { type: 'string', default: '400' },
    rounds: { type: 'string', default: '15' },
    json: { type: 'boolean', default: false },
  },
});
const count = Number(values.tokens);
const rounds = Number(values.rounds);
const warmupRounds = 3;
const scopes = ['orders:read'];

const rows: ReportRow[] = [];
for (const name of signingAlgorithms) rows.push(...(await benchAlgorithm(name)));
rows.push(...(await benchStatusList()));
console.log(reportText(rows, { json: values.json }));

async function benchAlgorithm(name: SigningAlgorithm): Promise<readonly ReportRow[]> {
  const fixture = tokenFixture(name, count);
  const took: Record<'raw' | 'cold' | 'warm' | 'jose' | 'fastJwt', number[]> = {
    raw: [],
    cold: [],
    warm: [],
    jose: [],
    fastJwt: [],
  };
  for (let round = 0; round < warmupRounds + rounds; round += 1) {
    const verifier = fixture.freshVerifier();
    const ours = () => {
      for (const token of fixture.tokens) expectValid(verifier.verify(token, { scopes }).code);
    };
    const once = {
      raw: timed(rawOf(name, fixture)),
      cold: timed(ours),
      warm: timed(ours),
      jose: await timedAsync(() => byJose(fixture)),
      fastJwt: timed(fastJwtOf(name, fixture)),
    };
    if (round < warmupRounds) continue;
    for (const each of Object.keys(once) as (keyof typeof once)[]) took[each].push(once[each]);
  }
  const alg = algorithms[name].jose;
  const against = (peer: keyof typeof took) => ({
    peer: median(took[peer]),
    ratio: median(took.cold.map((cold, at) => (took[peer][at] ?? 0) / cold)),
  });
  const row = { unit: 'µs', ours: median(took.cold) };
  return [
    {
      ...row,
      name: `${alg}: verified for the first time`,
      against: 'crypto.verify',
      ...against('raw'),
      goal: { atLeast: 0.8 },
    },
    { ...row, name: `${alg}: verified for the first time`, against: 'jose', ...against('jose'), goal: null },
    {
      ...row,
      name: `${alg}: verified for the first time`,
      against: 'fast-jwt, no cache',
      ...against('fastJwt'),
      goal: null,
    },
    {
      name: `${alg}: verified again, on the feed of now`,
      against: 'alone',
      unit: 'a second',
      ours: 1e6 / median(took.warm),
      peer: null,
      ratio: null,
      goal: null,
    },
  ];
}

/** Microseconds a token. */
function timed(work: () => void): number {
  const began = performance.now();
  work();
  return ((performance.now() - began) * 1000) / count;
}

async function timedAsync(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return ((performance.now() - began) * 1000) / count;
}

/** The signature alone, its bytes taken apart beforehand. */
function rawOf(name: SigningAlgorithm, { tokens, publicKey }: TokenFixture): () => void {
  const { node } = algorithms[name];
  const key = node.dsaEncoding === null ? publicKey : { key: publicKey, dsaEncoding: node.dsaEncoding };
  const parts = tokens.map((token) => {
    const end = token.lastIndexOf('.');
    return {
      data: Buffer.from(token.slice(0, end)),
      signature: Buffer.from(token.slice(end + 1), 'base64url'),
    };
  });
  return () => {
    for (const { data, signature } of parts)
      expectValid(verify(node.hash, data, key, signature) ? 'valid' : 'invalid');
  };
}

async function byJose({ tokens, publicKey }: TokenFixture): Promise<void> {
  for (const token of tokens)
    await jwtVerify(token, publicKey, { issuer: 'https://keys.example', typ: 'at+jwt' });
}

function fastJwtOf(name: SigningAlgorithm, { tokens, publicKey }: TokenFixture): () => void {
  const key = pemOf(publicKey);
  const check = createVerifier({ key, algorithms: [algorithms[name].jose as 'EdDSA'], cache: false });
  return () => {
    for (const token of tokens) check(token);
  };
}

function pemOf(key: KeyObject): string {
  return createPublicKey(key.export({ type: 'spki', format: 'pem' }))
    .export({ type: 'spki', format: 'pem' })
    .toString();
}

async function benchStatusList(): Promise<readonly ReportRow[]> {
  const entries = 2 ** 20;
  const bitmap = new StatusBitmap(entries);
  const began = performance.now();
  for (let at = 0; at < entries / 100; at += 1)
    bitmap.set(Math.floor(Math.random() * entries), statusOf.invalid);
  const filledMs = performance.now() - began;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const compressing = performance.now();
  const lst = await bitmap.compressed();
  const compressedMs = performance.now() - compressing;
  delay.disable();
  const told = { against: '2^20 places, 1 % revoked', peer: null, ratio: null, goal: null };
  return [
    { ...told, name: 'status list: its size', unit: 'kB', ours: lst.length / 1000 },
    { ...told, name: 'status list: places set', unit: 'ms', ours: filledMs },
    { ...told, name: 'status list: compressed on another thread', unit: 'ms', ours: compressedMs },
    {
      ...told,
      name: 'status list: longest delay of the event loop meanwhile',
      unit: 'ms',
      ours: delay.max / 1e6,
    },
  ];
}

function expectValid(code: string): void {
  if (code !== 'valid') throw new Error(`a verdict of the bench is ${code}`);
}
