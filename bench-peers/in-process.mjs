import { once } from 'node:events';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { getMigrations } from 'better-auth/db/migration';
import { createSigner, createVerifier } from 'fast-jwt';
import { exportPKCS8, exportSPKI, generateKeyPair, importSPKI, jwtVerify, SignJWT } from 'jose';
import pg from 'pg';

/*
 * Peers that run inside a process: each case is a function that does its work once and throws if it did not succeed.
 * The parent says which to run, at how many at once, and for how long; one runs at a time.
 *
 * better-auth's own rate limit is off, since it would answer the eleventh verification of a key with a refusal; what it
 * writes at each verification besides (the last use, the count of requests) is how it works and stays. Permissions are
 * asked for, as scopes are of ours. Tracing and telemetry are off.
 */

const keysCount = 1_000;
const permissions = { orders: ['read'] };
const audience = 'orders';
const issuer = 'https://keyswarm.test';

const [{ databaseUrl }] = await once(process, 'message');
const pool = new pg.Pool({ connectionString: databaseUrl, max: 16 });
const cases = {
  ...(await betterAuthCases(
    'memory',
    memoryAdapter({ user: [], session: [], account: [], verification: [], apikey: [] }),
  )),
  ...(await betterAuthCases('postgres', pool)),
  ...(await tokenCases()),
};
process.on('message', ({ run, seconds, concurrency }) => {
  measure(cases[run], { seconds, concurrency }).then(
    (perSecond) => process.send({ perSecond }),
    (error) => process.send({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
process.send({ cases: Object.keys(cases) });

async function measure(work, { seconds, concurrency }) {
  for (let warm = 0; warm < 200; warm += 1) await work();
  let done = 0;
  const beganMs = performance.now();
  const untilMs = beganMs + seconds * 1000;
  const lane = async () => {
    while (performance.now() < untilMs) {
      await work();
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return (done * 1000) / (performance.now() - beganMs);
}

async function betterAuthCases(name, database) {
  const auth = betterAuth({
    baseURL: 'http://127.0.0.1',
    secret: 'a-secret-of-a-benchmark-that-guards-nothing',
    database,
    telemetry: { enabled: false },
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    logger: { level: 'error' },
    plugins: [apiKey({ rateLimit: { enabled: false } })],
  });
  if (name === 'postgres') await (await getMigrations(auth.options)).runMigrations();
  const { user } = await auth.api.signUpEmail({
    body: { email: 'bench@keyswarm.test', password: 'a-long-password', name: 'bench' },
  });
  const create = () =>
    auth.api.createApiKey({
      body: { userId: user.id, name: 'bench', prefix: 'bench_', expiresIn: 86_400, permissions },
    });
  const keys = [];
  for (let made = 0; made < keysCount; made += 1) keys.push((await create()).key);
  let next = 0;
  return {
    [`better-auth verify, ${name}`]: async () => {
      const key = keys[next++ % keys.length];
      const { valid, error } = await auth.api.verifyApiKey({ body: { key, permissions } });
      if (!valid) throw new Error(`better-auth refuses its own key: ${JSON.stringify(error)}`);
    },
    [`better-auth create, ${name}`]: create,
  };
}

/** EdDSA, with issuer, audience, expiry and type checked; different tokens in turn, and no cache of verified ones. */
async function tokenCases() {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const privatePem = await exportPKCS8(privateKey);
  const publicPem = await exportSPKI(publicKey);
  const josePublic = await importSPKI(publicPem, 'EdDSA');
  const tokens = [];
  for (let made = 0; made < keysCount; made += 1) {
    const claims = { scope: 'orders:read', jti: String(made) };
    tokens.push(
      await new SignJWT(claims)
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject('billing')
        .setIssuedAt()
        .setExpirationTime('1d')
        .sign(privateKey),
    );
  }
  const sign = createSigner({ algorithm: 'EdDSA', key: privatePem });
  if (sign({ a: 1 }).split('.').length !== 3) throw new Error('fast-jwt does not sign');
  const verify = createVerifier({
    algorithms: ['EdDSA'],
    key: publicPem,
    allowedIss: issuer,
    allowedAud: audience,
    cache: false,
  });
  let next = 0;
  const needs = ({ scope }) => {
    if (scope !== 'orders:read') throw new Error('not in scope');
  };
  return {
    'jose jwtVerify, EdDSA': async () => {
      const options = { issuer, audience, typ: 'at+jwt', algorithms: ['EdDSA'] };
      needs((await jwtVerify(tokens[next++ % tokens.length], josePublic, options)).payload);
    },
    'fast-jwt verify, EdDSA': async () => needs(verify(tokens[next++ % tokens.length])),
  };
}
