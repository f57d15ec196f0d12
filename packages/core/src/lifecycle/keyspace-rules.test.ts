import { describe, expect, it } from 'vitest';
import { faultOf } from './fault-of.arbitrary.ts';
import { updateKeyspace } from './keyspace.ts';
import { decodeKeyspaceRules, encodeKeyspaceRules, rulesDefault } from './keyspace-rules.ts';
import { keyspaceWith, t0 } from './records.arbitrary.ts';

describe('the rules of a keyspace', () => {
  it('ask nobody for anything unless told', () => {
    expect(keyspaceWith()).toMatchObject(rulesDefault);
    expect(encodeKeyspaceRules(keyspaceWith())).toBeNull();
  });

  it('change one by one, and null lifts one', () => {
    const settled = updateKeyspace(keyspaceWith(), { rotation: { settleSeconds: 30 } }, t0);
    const both = updateKeyspace(settled, { rotation: { rotateAfterSeconds: 86_400 } }, t0);
    expect(both.rotation).toEqual({
      settleSeconds: 30,
      rotateAfterSeconds: 86_400,
      inUseWindowSeconds: 300,
    });
    expect(updateKeyspace(both, { rotation: { settleSeconds: null } }, t0).rotation).toEqual({
      settleSeconds: null,
      rotateAfterSeconds: 86_400,
      inUseWindowSeconds: 300,
    });
    expect(updateKeyspace(both, { leaseSeconds: 5 }, t0)).toMatchObject({ rotation: both.rotation });
  });

  it('come back from the store as they went in', () => {
    const keyspace = updateKeyspace(
      keyspaceWith(),
      {
        proof: 'signature',
        rotation: { rotateAfterSeconds: 60, settleSeconds: 0, inUseWindowSeconds: 120 },
        approval: { scopes: ['orders:write'] },
      },
      t0,
    );
    const { proof, rotation, approval, token } = keyspace;
    expect(proof).toBe('signature');
    expect(decodeKeyspaceRules(encodeKeyspaceRules(keyspace))).toEqual({ proof, rotation, approval, token });
  });

  it.each([
    ['a schedule under a minute', { rotation: { rotateAfterSeconds: 59 } }, '/rotation/rotate_after_seconds'],
    ['a settling before the use', { rotation: { settleSeconds: -1 } }, '/rotation/settle_seconds'],
    [
      'a window in which no use can be told of',
      { rotation: { inUseWindowSeconds: 59 } },
      '/rotation/in_use_window_seconds',
    ],
    [
      'a window for which a dead verifier is not remembered',
      { rotation: { inUseWindowSeconds: 2_701 } },
      '/rotation/in_use_window_seconds',
    ],
    ['a proof that nobody knows', { proof: 'pigeon' as 'bearer' }, '/proof'],
    ['approval of what is no scope', { approval: { scopes: ['Orders'] } }, '/approval/scopes/0'],
  ])('do not take %s', (_what, patch, field) => {
    expect(faultOf(() => updateKeyspace(keyspaceWith(), patch, t0))).toContain(field);
  });
});
