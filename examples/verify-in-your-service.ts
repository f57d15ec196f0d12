import { createServer } from 'node:http';
import { createVerifier } from '@keyswarm/verifier';

/*
 * An HTTP service that checks API keys in its own process: no network between a request and its answer.
 *
 *   KEYSWARM_RELAY=http://127.0.0.1:7070 KEYSWARM_VERIFIER_KEY=… npx node examples/verify-in-your-service.ts
 *   curl -H 'Authorization: Bearer <key>' http://127.0.0.1:8080/
 *
 * The key of the verifier needs the scope `feed:read`. A key that is revoked is refused here milliseconds later, and
 * after the lease of its keyspace at the latest, whatever the network does: then the answer is 503, not 200.
 */

const verifier = createVerifier({
  relays: (process.env.KEYSWARM_RELAY ?? 'http://127.0.0.1:7070').split(','),
  credential: process.env.KEYSWARM_VERIFIER_KEY,
  name: 'example-service',
});
verifier.on('stale', ({ reason }) =>
  console.error('no news from any relay, every key is answered 503:', reason),
);
verifier.on('refused', ({ reason }) => console.error('the key of the verifier is not accepted:', reason));

const server = createServer(async (request, response) => {
  const presented = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const answer = await verifier.verifyFresh(presented);
  if (answer.valid === null) response.writeHead(503, { 'retry-after': '1' }).end();
  else if (!answer.valid) response.writeHead(401).end(`${answer.code}\n`);
  else
    response.end(
      `hello ${answer.owner.externalId}, by ${answer.keyspace} until ${answer.expiresAtMs === null ? 'it is revoked' : new Date(answer.expiresAtMs).toISOString()}\n`,
    );
});

await verifier.ready;
server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () =>
  console.log('listening', server.address()),
);

process.on('SIGTERM', async () => {
  server.close();
  await verifier.close();
});
