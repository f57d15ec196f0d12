import { describe, expect, it } from 'vitest';
import { createVerifier, type VerifierOptions } from '../create-verifier.ts';
import { keyspacesAskedMax, namesLengthMax } from '../limits.ts';

const whole: VerifierOptions = { relays: 'http://127.0.0.1:1', credential: 'not-shown' };

describe('options that can not be meant are refused before anything is opened', () => {
  it.each<[string, Partial<VerifierOptions>]>([
    ['id', { id: '' }],
    ['id', { id: 'a b' }],
    ['id', { id: 'a'.repeat(65) }],
    ['name', { name: '' }],
    ['name', { name: 'two\nlines' }],
    ['name', { name: 'a'.repeat(namesLengthMax + 1) }],
    ['region', { region: 'a'.repeat(namesLengthMax + 1) }],
    ['kind', { kind: 'boss' as never }],
    ['keyspaces', { keyspaces: [] }],
    ['keyspaces', { keyspaces: ['No Such'] }],
    ['keyspaces', { keyspaces: Array.from({ length: keyspacesAskedMax + 1 }, (_, at) => `k${at}`) }],
    ['lease.askMs', { lease: { askMs: 0 } }],
    ['lease.askMs', { lease: { askMs: Number.NaN } }],
    ['lease.askMs', { lease: { askMs: 1e9 } }],
    ['fallback.timeoutMs', { fallback: { keyspaces: 'all', timeoutMs: -1 } }],
  ])('%s: %j', (option, change) => {
    const create = () => createVerifier({ ...whole, ...change });
    expect(create).toThrow(TypeError);
    expect(create).toThrow(`\`${option}\`: expected `);
    expect(create).not.toThrow('not-shown');
  });

  it('and what can be meant is taken', async () => {
    const verifier = createVerifier({ ...whole, id: 'a.B-9_', name: 'the first', lease: { askMs: 250 } });
    await verifier.close();
  });
});
