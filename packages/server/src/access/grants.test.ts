import { Fault } from '@keyswarm/core';
import { describe, expect, test } from 'vitest';
import type { Caller } from './caller.ts';
import { reaches, refuseEscalation, requireAnywhere, requireIn } from './grants.ts';
import { lastingManager } from './testing/lasting-manager.ts';

const callerWith = (...scopes: string[]) => lastingManager({ scopes });

const missing = () => new Fault('not_found', { detail: 'There is no such key.' });

function codeOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
  return 'allowed';
}

describe('a scope reaches', () => {
  test.each([
    ['keys:issue', 'orders', true],
    ['keys:issue', 'keyswarm', false],
    ['keys:issue:orders', 'orders', true],
    ['keys:issue:orders', 'billing', false],
    ['keys:issue:keyswarm', 'keyswarm', true],
    ['keys:issue:keyswarm', 'orders', false],
    ['keys:issue:*', 'keyswarm', true],
    ['keys:*', 'keyswarm', true],
    ['*', 'keyswarm', true],
    ['keys:read', 'orders', false],
    ['keyspaces:*', 'orders', false],
  ])('%s in %s: %s', (scope, keyspace, expected) => {
    expect(reaches([scope], 'keys:issue', keyspace)).toBe(expected);
  });
});

describe('a refusal', () => {
  test('is forbidden where the caller may know of the keyspace, and not_found where it may not', () => {
    const inOrders = (caller: Caller) => codeOf(() => requireIn(caller, 'keys:revoke', 'orders', missing));
    expect(inOrders(callerWith('keys:revoke:orders'))).toBe('allowed');
    expect(inOrders(callerWith('keys:revoke:billing', 'keys:read:orders'))).toBe('forbidden');
    expect(inOrders(callerWith('keys:revoke:billing', 'keyspaces:read'))).toBe('forbidden');
    expect(inOrders(callerWith('keys:revoke:billing', 'owners:read'))).toBe('not_found');
  });

  test('comes before any look-up for a caller that may do this nowhere', () => {
    expect(codeOf(() => requireAnywhere(callerWith('keys:read'), 'keys:revoke'))).toBe('forbidden');
    expect(codeOf(() => requireAnywhere(callerWith('keys:revoke:orders'), 'keys:revoke'))).toBe('allowed');
    expect(codeOf(() => requireAnywhere(callerWith('keys:*'), 'keys:revoke'))).toBe('allowed');
  });
});

describe('a management key can not make one that holds more', () => {
  test.each([
    [['keys:issue'], 'keys:issue', 'allowed'],
    [['keys:issue'], 'keys:issue:orders', 'allowed'],
    [['keys:issue'], 'keys:issue:keyswarm', 'scope_escalation'],
    [['keys:issue'], 'keys:issue:*', 'scope_escalation'],
    [['keys:issue:*'], 'keys:issue', 'allowed'],
    [['keys:issue:orders'], 'keys:issue', 'scope_escalation'],
    [['keys:*'], '*', 'scope_escalation'],
    [['keys:*'], 'keys:*', 'allowed'],
    [['keys:issue', 'keys:read'], 'keys:*', 'scope_escalation'],
    [['*'], '*', 'allowed'],
    [['keys:issue:keyswarm'], 'workspaces:write', 'scope_escalation'],
    [['keyspaces:write'], 'keyspaces:write:orders', 'scope_escalation'],
  ])('%j asking for %s: %s', (held, wanted, expected) => {
    expect(codeOf(() => refuseEscalation(callerWith(...held), [wanted]))).toBe(expected);
  });
});
