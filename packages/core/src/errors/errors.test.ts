import { describe, expect, it } from 'vitest';
import { AssertionBroken, assert } from './assert.ts';
import { Fault } from './fault.ts';
import { isFaultCode, problemType, toProblem } from './problem.ts';
import { type FaultCode, faultRegistry } from './registry.ts';

const codes = Object.keys(faultRegistry) as FaultCode[];

describe('the registry of faults', () => {
  it.each(codes)('%s has a status, an exit code and a title that fit together', (code) => {
    const row = faultRegistry[code];
    expect(row.status).toBeGreaterThanOrEqual(400);
    expect(row.status).toBeLessThan(600);
    expect(row.exit).toBeGreaterThanOrEqual(2);
    expect(row.exit).toBeLessThanOrEqual(7);
    expect(row.title).toMatch(/^[A-Z]/);
    // What may be tried again has its own exit code, so that a script can loop on it alone.
    expect(row.exit === 6).toBe(row.retryable);
  });

  it('can not be changed by whoever reads it', () => {
    expect(Object.isFrozen(faultRegistry)).toBe(true);
    for (const code of codes) expect(Object.isFrozen(faultRegistry[code])).toBe(true);
  });

  it('has one title a code', () => {
    expect(new Set(codes.map((code) => faultRegistry[code].title)).size).toBe(codes.length);
  });
});

describe('a problem document', () => {
  it('says what the registry row and the fault say (RFC 9457)', () => {
    const fault = new Fault('invalid_scope', {
      detail: 'The scope is not well formed.',
      field: '/scopes/0',
      expected: 'a scope',
    });
    expect(toProblem(fault, 'req_1')).toEqual({
      type: 'urn:keyswarm:problem:invalid_scope',
      title: 'A scope is not well formed',
      status: 422,
      detail: 'The scope is not well formed.',
      code: 'invalid_scope',
      field: '/scopes/0',
      expected: 'a scope',
      request_id: 'req_1',
    });
  });

  it('leaves out what is not known, and never tells the cause', () => {
    const fault = new Fault('internal', { detail: 'It failed.', cause: new Error('inner secret') });
    const problem = toProblem(fault, 'req_1');
    expect(Object.keys(problem).sort()).toEqual(['code', 'detail', 'request_id', 'status', 'title', 'type']);
    expect(JSON.stringify(problem)).not.toContain('inner secret');
  });

  it('can carry more, but not another status or code', () => {
    const extra = { last_used_at: 'now', status: 200, code: 'valid', request_id: 'other', type: 'x' };
    const problem = toProblem(new Fault('version_in_use', { detail: 'In use.', extra }), 'req_1');
    expect(problem).toMatchObject({
      last_used_at: 'now',
      status: 409,
      code: 'version_in_use',
      request_id: 'req_1',
    });
    expect(problem.type).toBe(problemType('version_in_use'));
  });
});

describe('a fault', () => {
  it('is retryable as its row says', () => {
    expect(new Fault('overloaded', { detail: '' }).retryable).toBe(true);
    expect(new Fault('not_found', { detail: '' }).retryable).toBe(false);
  });

  it('keeps its cause for the log', () => {
    const cause = new Error('inner');
    expect(new Fault('internal', { detail: '', cause }).cause).toBe(cause);
    expect('cause' in new Fault('internal', { detail: '' })).toBe(false);
  });
});

describe('a code', () => {
  it('is known only if it stands in the registry', () => {
    expect(isFaultCode('not_found')).toBe(true);
    for (const other of ['toString', '__proto__', '', null, 7]) expect(isFaultCode(other)).toBe(false);
  });
});

describe('an assertion', () => {
  it('is a bug when it breaks, and no fault', () => {
    expect(() => assert(false, 'two is two')).toThrow(AssertionBroken);
    expect(() => assert(false, 'two is two')).not.toThrow(Fault);
    expect(() => assert(true, 'two is two')).not.toThrow();
  });
});
