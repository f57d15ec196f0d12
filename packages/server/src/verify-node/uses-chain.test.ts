import { Secret } from '@keyswarm/core';
import { createVerifier, type Verifier } from '@keyswarm/verifier';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { issue, makeKeyspace } from '../boot/suite/fixtures.ts';
import { startTestServer, type TestServer } from '../boot/suite/test-server.ts';
import { createLog } from '../logging/log.ts';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import { nodeConfigWith } from './load-node-config.ts';
import { type RunningNode, startVerifyNode } from './start-node.ts';

/* A service that follows a relay of a region that follows the authority, all over HTTP. */

let server: TestServer;
let region: RunningNode;
let leaf: Verifier;
beforeAll(async () => {
  server = await startTestServer({ store: await createPgliteStore() });
  const credential = new Secret(server.rootKey);
  const config = nodeConfigWith({ relays: server.url, port: 0, serveFeed: true, drainTimeoutMs: 1_000 });
  region = await startVerifyNode(config, { log: createLog('error', { write() {} }), credential });
  await region.ready;
  leaf = createVerifier({ relays: region.url, credential, name: 'leaf' });
  await leaf.ready;
}, 60_000);
afterAll(async () => {
  await leaf?.close();
  await region?.close();
  await server?.close();
});

it('what a verifier behind a relay accepts is known to the authority: of the old version, and that the new one works', async () => {
  const { name } = await makeKeyspace(server);
  const rotate = async () => {
    const { id, secret } = await issue(server, name);
    const { body } = await server.post(`/v1/keys/${id}/rotate`, { grace_seconds: 600 });
    return { id, old: secret, renewed: String(body.secret) };
  };
  const finish = (id: string) => async () => (await server.post(`/v1/keys/${id}/finish-rotation`)).body;
  const [kept, moved] = [await rotate(), await rotate()];
  expect(await leaf.verifyFresh(kept.renewed)).toMatchObject({ valid: true, version: 2 });
  expect(await leaf.verifyFresh(kept.old)).toMatchObject({ valid: true, version: 1 });
  await expect
    .poll(finish(kept.id), { timeout: 15_000 })
    .toMatchObject({ code: 'version_in_use', version: 1 });
  expect(await finish(moved.id)()).toMatchObject({ code: 'new_version_unused' });
  expect(await leaf.verifyFresh(moved.renewed)).toMatchObject({ valid: true, version: 2 });
  await expect.poll(finish(moved.id), { timeout: 15_000 }).toMatchObject({ id: moved.id, version: 2 });
}, 60_000);
