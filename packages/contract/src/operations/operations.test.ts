import { readFileSync } from 'node:fs';
import { faultRegistry, type KeyCommand, keyTransitions } from '@keyswarm/core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type AnyOperation,
  type BodyOf,
  bodyLimitBytes,
  type OperationId,
  operationIds,
  operations,
  type ParamsOf,
  type ReplyOf,
  routes,
} from '../index.ts';

const rows = operationIds.map((id) => ({ id, row: operations[id] as AnyOperation }));

describe('the table of operations', () => {
  it('has one row for each route, and each route once', () => {
    expect(Object.keys(operations).sort()).toEqual(Object.keys(routes).sort());
    const places = rows.map(({ row }) => `${row.method} ${row.path}`);
    expect(new Set(places).size).toBe(places.length);
  });

  it.each(rows)(
    '$id: a POST that changes something takes an Idempotency-Key, and nothing else does',
    ({ row }) => {
      expect(row.idempotent).toBe(row.mutates && row.method === 'POST');
      expect(row.faults.includes('idempotency_mismatch')).toBe(row.idempotent);
    },
  );

  it.each(rows)(
    '$id: whatever changes or tells something needs a scope, or the key it is about',
    ({ row }) => {
      expect(row.scope === null && row.holder === null).toBe(!row.path.startsWith('/v1/'));
      expect(row.scope !== null && row.holder !== null).toBe(false);
    },
  );

  it.each(rows)('$id: names the parameters of its path, and no verb stands after a colon', ({ row }) => {
    const inPath = [...row.path.matchAll(/:([a-z_]+)/g)].map((match) => match[1]);
    const { properties = {} } = row.params as { properties?: Record<string, unknown> };
    expect(Object.keys(properties)).toEqual(inPath);
    expect(row.path).toMatch(/^(\/(:?[a-z_0-9.-]+))+$/);
  });

  it.each(rows)('$id: answers only codes of the registry', ({ row }) => {
    for (const code of row.faults) expect(faultRegistry).toHaveProperty(code);
    expect(new Set(row.faults).size).toBe(row.faults.length);
  });

  it('says of each command on a key every code with which its state may refuse it', () => {
    const commands: Record<KeyCommand, OperationId> = {
      rotate: 'rotateKey',
      finish: 'finishRotation',
      update: 'updateKey',
      suspend: 'suspendKey',
      resume: 'resumeKey',
      revoke: 'revokeKey',
    };
    for (const [state, events] of Object.entries(keyTransitions)) {
      for (const command of Object.keys(commands) as KeyCommand[]) {
        const transition = events[command];
        if ('refuse' in transition) {
          expect(operations[commands[command]].faults, `${command} while ${state}`).toContain(
            transition.refuse,
          );
        }
      }
    }
  });

  it('lets in bodies of 64 KiB, of 2 MiB to verify and of 8 MiB in bulk', () => {
    const large = rows.filter(({ row }) => row.bodyLimitBytes > bodyLimitBytes.common);
    expect(Object.fromEntries(large.map(({ id, row }) => [id, row.bodyLimitBytes]))).toEqual({
      issueKeysBulk: 8_388_608,
      importKeys: 8_388_608,
      verifyKeysBulk: 8_388_608,
      verifyKey: 2_097_152,
      askLease: 524_288,
    });
  });

  it('knows which bodies may be left out', () => {
    expect(operations.suspendKey.bodyOptional).toBe(true);
    expect(operations.rotateKey.bodyOptional).toBe(true);
    expect(operations.issueKey.bodyOptional).toBe(false);
  });

  it('types handlers and client methods', () => {
    expectTypeOf<ParamsOf<'rotateKey'>>().toEqualTypeOf<{ readonly id: string }>();
    expectTypeOf<BodyOf<'getKey'>>().toEqualTypeOf<undefined>();
    expectTypeOf<Omit<BodyOf<'rotateKey'>, 'proof'>>().toEqualTypeOf<{
      readonly grace_seconds?: number;
      readonly cut?: boolean;
    }>();
    expectTypeOf<ReplyOf<'getKey'>['revoked_at']>().toEqualTypeOf<string | null>();
    expectTypeOf<keyof BodyOf<'revokeKey'>>().toEqualTypeOf<'reason'>();
    expectTypeOf<BodyOf<'suspendKey'>>().toEqualTypeOf<Readonly<Record<string, never>>>();
    expectTypeOf(operations.issueKey.response.status).toEqualTypeOf<201>();
  });
});

describe('routes', () => {
  it('carry no schema library along: the file imports nothing', () => {
    const source = readFileSync(new URL('./routes.ts', import.meta.url), 'utf8');
    expect(source).not.toMatch(/^import /m);
  });
});
