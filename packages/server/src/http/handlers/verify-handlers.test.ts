import { type Answer, Fault } from '@keyswarm/core';
import { expect, test } from 'vitest';
import { lastingManager } from '../../access/testing/lasting-manager.ts';
import { verifyHandlers } from './verify-handlers.ts';

const caller = lastingManager();
const answers: Readonly<Record<string, Answer>> = {
  revoked: { valid: false, code: 'revoked' },
  unknown: { valid: false, code: 'unknown' },
};

/** A table that knows of one revocation, and from which no news can be had. */
function handlersWithout(news: Fault) {
  const counted: string[] = [];
  const ports = {
    verifier: { verify: (key: string) => answers[key], applied: () => ({ epoch: 1, seqs: [5] }) },
    catchUp: () => Promise.reject(news),
    shards: 1,
  };
  const metrics = { verdict: (code: string) => counted.push(code) };
  const { verifyKeysBulk } = verifyHandlers({ ports, metrics } as never);
  const verify = (keys: readonly { readonly key: string; readonly min_seq?: string }[]) =>
    verifyKeysBulk({ body: { keys }, caller } as never);
  return { verify, counted };
}

const late = new Fault('stale', { detail: 'The latest changes could not be read in time.' });

test('a key that can not be judged without news costs a bulk its own verdict and no other', async () => {
  const { verify, counted } = handlersWithout(late);
  const { results } = await verify([
    { key: 'unknown' },
    { key: 'revoked' },
    { key: 'revoked', min_seq: '1.0.6' },
    { key: 'revoked', min_seq: '1.0.5' },
  ]);
  expect(results).toMatchObject([
    { error: { code: 'stale' } },
    { valid: false, code: 'revoked' },
    { error: { code: 'stale' } },
    { valid: false, code: 'revoked' },
  ]);
  expect(counted).toEqual(['revoked', 'revoked']);
});

test('a server that goes down answers the whole bulk so, for another one may answer all of it', async () => {
  const { verify } = handlersWithout(new Fault('shutting_down', { detail: 'The feed has ended.' }));
  await expect(verify([{ key: 'unknown' }, { key: 'revoked' }])).rejects.toMatchObject({
    code: 'shutting_down',
  });
});
