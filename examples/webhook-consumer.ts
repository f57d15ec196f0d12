import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

/*
 * The least that a consumer of webhooks does: it takes a bounded body, verifies the signature over the bytes as they
 * came, refuses what is old, knows an event that came before, and answers before it works.
 *
 *   KEYSWARM_WEBHOOK_SECRET=whsec_… PORT=8080 npx node examples/webhook-consumer.ts
 *
 * Webhooks go to https at public addresses. To try this one on the same machine, start the server with
 * KEYSWARM_WEBHOOK_HTTP=true and KEYSWARM_WEBHOOK_ALLOW=127.0.0.1, and give it http://127.0.0.1:8080/.
 *
 * With a library it is one line: `new Webhook(secret).verify(body, headers)` of `standardwebhooks`.
 */

const secret = process.env.KEYSWARM_WEBHOOK_SECRET ?? '';
const port = Number(process.env.PORT ?? 8080);
const bodyBytesMax = 64 * 1024;
const ageSecondsMax = 300;
/** In a real consumer: a table, written in the transaction of what the event causes. */
const seen = new Set<string>();

if (!secret.startsWith('whsec_')) throw new Error('set KEYSWARM_WEBHOOK_SECRET to the secret of the webhook');

const server = createServer(async (request, response) => {
  const answer = (status: number): void => void response.writeHead(status).end();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return answer(413);
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks).toString('utf8');
  const id = String(request.headers['webhook-id'] ?? '');
  const timestamp = String(request.headers['webhook-timestamp'] ?? '');
  const signatures = String(request.headers['webhook-signature'] ?? '').split(' ');
  const isFresh = Math.abs(Date.now() / 1000 - Number(timestamp)) <= ageSecondsMax;
  // During a change of the secret there are two signatures: one that fits is enough.
  if (!isFresh || !signatures.some((signature) => fits(signature, `${id}.${timestamp}.${body}`)))
    return answer(401);
  answer(204);
  if (seen.has(id)) return;
  seen.add(id);
  const event = JSON.parse(body) as {
    readonly type: string;
    readonly subject: string;
    readonly time: string;
  };
  console.log(event.time, event.type, event.subject);
});

function fits(signature: string, signed: string): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const expected = Buffer.from(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

server.listen(port, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${port}`));
