import { Agent, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

/**
 * `fetch` over so many connections at the most, which are kept; what is more waits for one, and leaves the queue when it is
 * called off. (The built-in one opens as many as are asked for, and one that is called off while it connects stays
 * open: ten thousand holders whose server is slow have no descriptors left.)
 */
export function fetchOverAtMost(connections: number): typeof fetch {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return async (input, init = {}) => {
    const { method = 'GET', body, signal } = init;
    if (body !== undefined && body !== null && typeof body !== 'string')
      throw new TypeError('a text, or none');
    const headers = Object.fromEntries(new Headers(init.headers));
    const reply = await new Promise<IncomingMessage>((resolve, reject) => {
      const url = new URL(input instanceof Request ? input.url : input);
      const asked = request(url, { agent, method, headers, ...(signal ? { signal } : {}) }, resolve);
      asked.once('error', reject);
      asked.end(body ?? undefined);
    });
    const text = await buffer(reply);
    const { statusCode: status = 0 } = reply;
    const told = Object.entries(reply.headers).map(
      ([name, value]) => [name, String(value)] as [string, string],
    );
    return new Response(status === 204 ? null : new Uint8Array(text), { status, headers: told });
  };
}
