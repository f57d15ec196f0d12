import { inspect } from 'node:util';
import { type Client, type ClientOptions, createClient, KeyswarmError } from '../index.ts';
import { ManualRuntime } from './manual-runtime.ts';
import { problemStep, ScriptedServer, type Step } from './scripted-server.ts';

/* A client against a scripted server, with time that moves by hand: what most tests of the client begin with. */

export const managementKey = 'keyswarm_0123456789abcdefghijklmnopq1Zz9Yy8';
export const issue = {
  keyspace: 'orders-live',
  owner: { kind: 'service', external_id: 'billing' },
  scopes: ['orders:read'],
} as const;
export const issued: Step = { status: 201, json: { id: 'key_1', version: 1, secret: 'orders_live_x' } };
export const revoked: Step = { status: 200, json: { id: 'key_1', state: 'revoked' } };
export const unavailable = problemStep(503, 'overloaded');

export interface Scene {
  readonly server: ScriptedServer;
  readonly runtime: ManualRuntime;
  readonly client: Client;
}

export async function play<T>(
  steps: readonly Step[],
  act: (scene: Scene) => Promise<T>,
  options: Partial<ClientOptions> = {},
): Promise<T> {
  await using server = new ScriptedServer(steps);
  const runtime = new ManualRuntime();
  const client = createClient({ baseUrl: await server.start(), managementKey, runtime, ...options });
  return await act({ server, runtime, client });
}

export async function failureOf(promise: Promise<unknown>): Promise<KeyswarmError> {
  const outcome = await promise.then(
    () => 'it succeeded',
    (error: unknown) => error,
  );
  if (outcome instanceof KeyswarmError) return outcome;
  throw new Error(`not a KeyswarmError: ${inspect(outcome)}`);
}
