import { KeyswarmError } from '@keyswarm/sdk';
import { describe, expect, it } from 'vitest';
import { formatProblem } from './format-problem.ts';

const faultOf = (code: 'unauthenticated' | 'version_superseded' | 'unreachable', detail: string) =>
  new KeyswarmError(code, { operationId: 'getSelf', detail });
const key = { file: '/run/a.key', id: 'key_1' };

describe('a problem of the agent is told with its key, its code and what comes next', () => {
  it.each([
    [
      'refused',
      faultOf('unauthenticated', 'Send a valid key.'),
      /key_1 .*\(unauthenticated\).*another key into/,
    ],
    [
      'superseded',
      faultOf('version_superseded', 'x'),
      /\(version_superseded\).*--from-file \/run\/a.key --revoke/,
    ],
    ['not_stored', new Error('ENOSPC'), /\/run\/a.key \(ENOSPC\).*tried again/],
    ['failed', faultOf('unreachable', 'no route'), /\(unreachable: no route\).*tried again/],
  ] as const)('%s', (kind, error, said) => {
    const text = formatProblem({ kind, error }, key);
    expect(text.startsWith(`${kind}: `)).toBe(true);
    expect(text).toMatch(said);
  });

  it('and without its id where nobody knows that', () => {
    const problem = { kind: 'refused', error: faultOf('unauthenticated', '') } as const;
    expect(formatProblem(problem, { ...key, id: undefined })).toContain('accept the key of /run/a.key');
  });
});
