import type { VerifierOptions } from '../create-verifier.ts';
import { keyspacesAskedMax, leaseAskMsBounds, namesLengthMax } from '../limits.ts';

/*
 * What a relay would refuse of a verifier is refused before anything is opened: otherwise it is found out by a log line
 * of a service that runs and answers 503.
 */

const idShape = /^[A-Za-z0-9._-]{1,64}$/;
const kinds: ReadonlySet<string> = new Set(['library', 'node', 'relay']);
/** What a line of a list can show: no control characters. */
const nameShape = new RegExp(`^[^\\u0000-\\u001f\\u007f]{1,${namesLengthMax}}$`);

/** @throws {TypeError} that names the option and says what was expected; never what a credential was. */
export function checkOptions(options: VerifierOptions): void {
  const { id, name, region, kind, keyspaces, lease, fallback } = options;
  expect('id', id === undefined || idShape.test(id), '1 to 64 of A-Z a-z 0-9 . _ -');
  const named = `1 to ${namesLengthMax} characters on one line`;
  expect('name', name === undefined || nameShape.test(name), named);
  expect('region', region === undefined || nameShape.test(region), named);
  expect('kind', kind === undefined || kinds.has(kind), 'library, node or relay');
  expect(
    'keyspaces',
    keyspaces === undefined ||
      (keyspaces.length >= 1 && keyspaces.length <= keyspacesAskedMax && keyspaces.every(isKeyspaceName)),
    `1 to ${keyspacesAskedMax} names or ids of keyspaces`,
  );
  const { min, max } = leaseAskMsBounds;
  const askMs = lease?.askMs;
  expect('lease.askMs', askMs === undefined || (askMs >= min && askMs <= max), `${min} to ${max} ms`);
  const timeoutMs = fallback?.timeoutMs;
  expect(
    'fallback.timeoutMs',
    timeoutMs === undefined || (timeoutMs > 0 && timeoutMs <= max),
    `1 to ${max} ms`,
  );
}

function isKeyspaceName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(text);
}

function expect(option: string, holds: boolean, expected: string): void {
  if (!holds) throw new TypeError(`\`${option}\`: expected ${expected}`);
}
