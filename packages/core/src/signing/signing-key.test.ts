import { describe, expect, it } from 'vitest';
import { idFromUuidBytes } from '../ids/id-codec.ts';
import {
  changeSigningKey,
  raiseTokensUntil,
  type SigningKeyCommand,
  type SigningKeyRecord,
  signingKeyStates,
  signingKeyTransitions,
} from './signing-key.ts';
import { decodeSigningKey, encodeSigningKey, signingKeyFactOf } from './signing-key-fact.ts';

const key: SigningKeyRecord = {
  id: idFromUuidBytes('sk', new Uint8Array(16).fill(1)),
  workspaceId: idFromUuidBytes('ws', new Uint8Array(16).fill(2)),
  algorithm: 'ed25519',
  issuer: 'https://keys.example',
  publicKey: new Uint8Array(32).fill(3),
  sealed: new Uint8Array(20).fill(4),
  state: 'published',
  notBeforeMs: null,
  tokensUntilMs: 0,
  publishedAtMs: 1000,
  activatedAtMs: null,
  retiredAtMs: null,
  removedAtMs: null,
  revision: 1,
};
const commands: readonly SigningKeyCommand[] = ['activate', 'retire', 'remove', 'revoke'];

describe('the life of a signing key', () => {
  it.each(signingKeyStates.flatMap((state) => commands.map((command) => [state, command] as const)))(
    'a %s one answers %s as its table says',
    (state, command) => {
      const transition = signingKeyTransitions[state][command];
      const change = () => changeSigningKey({ ...key, state }, command, 5000);
      if ('refuse' in transition)
        expect(change).toThrow(expect.objectContaining({ code: transition.refuse }));
      else expect(change()).toMatchObject({ state: transition.to[0], revision: 2 });
    },
  );

  it('never goes back, and ends in removed', () => {
    const order = (state: string) => signingKeyStates.indexOf(state as (typeof signingKeyStates)[number]);
    for (const state of signingKeyStates) {
      for (const command of commands) {
        const transition = signingKeyTransitions[state][command];
        if ('to' in transition)
          for (const to of transition.to) expect(order(to)).toBeGreaterThan(order(state));
      }
    }
  });

  it('says when each step was, and that a revoked one has a watermark', () => {
    const active = changeSigningKey(key, 'activate', 2000);
    const retired = changeSigningKey(active, 'retire', 3000);
    expect(changeSigningKey(retired, 'remove', 4000)).toMatchObject({
      activatedAtMs: 2000,
      retiredAtMs: 3000,
      removedAtMs: 4000,
      notBeforeMs: null,
    });
    expect(changeSigningKey(active, 'revoke', 4000)).toMatchObject({ state: 'removed', notBeforeMs: 4000 });
  });

  it('only lengthens what it has to be kept for', () => {
    const active = changeSigningKey(key, 'activate', 2000);
    const raised = raiseTokensUntil(active, 9000);
    expect(raised.tokensUntilMs).toBe(9000);
    expect(raiseTokensUntil(raised, 8000)).toBe(raised);
    expect(() => raiseTokensUntil(key, 9000)).toThrow('only an active key signs');
  });

  it('comes back from the store as it went in, and tells verifiers nothing that could sign', () => {
    const { id, workspaceId, revision } = key;
    expect(decodeSigningKey({ id, workspaceId, revision, body: encodeSigningKey(key) })).toEqual(key);
    for (const member of ['algorithm', 'state', 'issuer', 'public_key', 'sealed']) {
      const body = { ...encodeSigningKey(key), [member]: 'x' };
      if (member !== 'issuer') expect(decodeSigningKey({ id, workspaceId, revision, body })).toBeUndefined();
    }
    expect(Object.keys(signingKeyFactOf(key))).not.toContain('sealed');
  });
});
