import { createHmac, createSecretKey, generateKeyPairSync, hash, sign, verify } from 'node:crypto';
import {
  algorithms,
  formatSigningKeyId,
  idFromUuidBytes,
  type KeyFact,
  signedRequestProfile,
  type VersionProof,
} from '@keyswarm/core';
import {
  buildSignatureBase,
  component,
  digestAlgorithms,
  fieldsOfPairs,
  fieldsOfRawHeaders,
  formatContentDigest,
  formatSignature,
} from '@keyswarm/http-signatures';
import { createResidentVerifier, type SignedRequest, systemVerifierClock } from '@keyswarm/verifier';
import { deriveMacKey, sealMacKey, signBytes } from '@keyswarm/verifier/signatures';
import { median } from '../spine/median.ts';

/*
 * npm run bench:signed -- [rounds]
 *
 * What a signed request costs, whole: two fields read, its base built, the digest of 256 bytes of content, times, nonce,
 * signature, verdict and lease. Beside it, in turn and in one process, the bare signature over the same base: what is
 * above 1x is ours. The figures of one run count against each other, and not against those of another.
 */

const rounds = Number(process.argv[2] ?? 7);
const perRound = 2_000;
const body = Buffer.alloc(256, 0x61);
const workspaceKey = new Uint8Array(32).fill(3);
const id = (name: string) => hash('sha256', name, 'buffer').subarray(0, 16);
const ids = {
  ed25519: idFromUuidBytes('key', id('ed25519')),
  'hmac-sha256': idFromUuidBytes('key', id('hmac')),
};
const pair = generateKeyPairSync('ed25519');
const macBytes = deriveMacKey('orders_live_key');
const keys = { ed25519: pair.privateKey, 'hmac-sha256': createSecretKey(macBytes) };
type Name = keyof typeof keys;

const verifier = openVerifier();
const results = {
  'hmac-sha256': {
    raw: [] as number[],
    whole: [] as number[],
  },
  ed25519: { raw: [] as number[], whole: [] as number[] },
};

for (let round = -1; round < rounds; round += 1) {
  for (const name of ['hmac-sha256', 'ed25519'] as const) {
    const requests = Array.from({ length: perRound }, (_, at) =>
      signedRequest(name, `${round}-${at}-nonce-of-bench`),
    );
    const whole = timed(() => {
      for (const request of requests) {
        const { code } = verifier.verifyRequest(request.request, {});
        if (code !== 'valid') throw new Error(`a good request was ${code}`);
      }
    });
    const check = name === 'ed25519' ? checkEd25519 : checkHmac;
    const raw = timed(() => {
      for (const { base, signature } of requests)
        if (!check(base, signature)) throw new Error('a good one is bad');
    });
    if (round < 0) continue;
    results[name].raw.push(raw / perRound);
    results[name].whole.push(whole / perRound);
  }
}

for (const [name, { raw, whole }] of Object.entries(results)) {
  const [bare, all] = [median(raw), median(whole)];
  console.log(
    `${name.padEnd(12)} bare ${(bare * 1000).toFixed(1).padStart(7)} µs   whole ${(all * 1000).toFixed(1).padStart(7)} µs   ` +
      `${(bare / all).toFixed(2)}x the rate of the bare one   ${Math.round(1000 / all)} requests/s`,
  );
}

function checkEd25519(base: Buffer, signature: Uint8Array): boolean {
  return verify(null, base, pair.publicKey, signature);
}

function checkHmac(base: Buffer, signature: Uint8Array): boolean {
  return createHmac('sha256', keys['hmac-sha256']).update(base).digest().equals(signature);
}

function timed(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

function signedRequest(name: Name, nonce: string) {
  const algorithm = digestAlgorithms['sha-256'];
  const digest = formatContentDigest({ algorithm, bytes: hash('sha256', body, 'buffer') });
  const url = 'https://orders.example/v1/orders?customer=17';
  const created = Math.floor(Date.now() / 1000);
  const input = {
    components: ['@method', '@target-uri', 'content-digest'].map((covered) => component(covered)),
    parameters: new Map<string, string | number>([
      ['created', created],
      ['expires', created + 60],
      ['nonce', nonce],
      ['keyid', formatSigningKeyId(ids[name], 1)],
      ['tag', signedRequestProfile.tag],
    ]),
  };
  const message = { method: 'POST', url, fields: fieldsOfPairs([['content-digest', digest]]) };
  const base = Buffer.from(buildSignatureBase(message, input));
  const signature =
    name === 'ed25519' ? sign(null, base, keys[name]) : signBytes(algorithms[name], keys[name], base);
  const signed = formatSignature('keyswarm', input, signature);
  // As a server has them: with the fields that every request bears.
  const raw = [
    'Host',
    'orders.example',
    'Accept',
    '*/*',
    'Content-Type',
    'application/json',
    'Content-Length',
    '256',
  ];
  raw.push(
    'Content-Digest',
    digest,
    'Signature-Input',
    signed['signature-input'],
    'Signature',
    signed.signature,
  );
  const request: SignedRequest = {
    method: 'POST',
    url,
    fields: fieldsOfRawHeaders(raw),
    content: { kind: 'bytes', bytes: body },
  };
  return { request, base, signature };
}

function openVerifier() {
  const clock = systemVerifierClock();
  const limits = { noncesMax: 10_000_000, noncesPerKeyMax: 10_000_000 };
  const made = createResidentVerifier({ clock, shards: 1, limits, macKeysOf: () => [workspaceKey] });
  const load = made.startSnapshot();
  const workspaceId = idFromUuidBytes('ws', id('workspace'));
  const keyspaceId = idFromUuidBytes('ks', id('keyspace'));
  const ownerId = idFromUuidBytes('own', id('owner'));
  load.applyKeyspace({
    id: keyspaceId,
    workspaceId,
    revision: 1,
    name: 'orders',
    state: 'active',
    leaseMs: 600_000,
    proof: 'signature',
    keysNotBeforeMs: null,
  });
  load.applyOwner({
    id: ownerId,
    revision: 1,
    kind: 'service',
    externalId: 'x',
    state: 'active',
    keysNotBeforeMs: null,
  });
  const { x = '' } = pair.publicKey.export({ format: 'jwk' });
  const about = { signingKeyId: formatSigningKeyId(ids['hmac-sha256'], 1), nonce: new Uint8Array(12) };
  const sealed = Buffer.from(sealMacKey(workspaceKey, macBytes, about)).toString('base64url');
  const materials: Record<Name, string> = { ed25519: x, 'hmac-sha256': sealed };
  for (const name of ['ed25519', 'hmac-sha256'] as const) {
    const proof: VersionProof = { version: 1, algorithm: name, material: materials[name] };
    const fact: KeyFact = {
      id: ids[name],
      revision: 1,
      keyspaceId,
      ownerId,
      scopes: [],
      state: 'active',
      notBeforeMs: null,
      expiresAtMs: null,
      traits: { proofs: [proof] },
      versions: [
        {
          number: 1,
          fingerprint: id(`fingerprint ${name}`),
          state: 'active',
          mintedAtMs: 1,
          retiresAtMs: null,
        },
      ],
    };
    load.applyKey(fact);
  }
  load.finish({ epoch: 1, seqs: [0] });
  made.renewLease(clock.monotonicMs());
  return made;
}
