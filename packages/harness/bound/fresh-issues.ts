import { inParallel, issuedOf } from '../acceptance/api.ts';
import { defaultKeyspace } from './cluster.ts';
import type { Phases } from './phases.ts';
import { VerifyConnection } from './verify-connection.ts';

/** Keys are issued one a call and used at once at every node: none may be told that it is unknown. */
export async function freshIssues({ cluster, report }: Phases, count: number): Promise<void> {
  const codes: Record<string, number> = {};
  const began = performance.now();
  await inParallel(
    Array.from({ length: count }, (_, at) => at),
    16,
    async (at) => {
      const reply = await cluster.api.call('POST', '/v1/keys', {
        keyspace: defaultKeyspace.name,
        owner: { kind: 'service', external_id: `fresh-${at % 50}` },
        name: `fresh ${at}`,
        scopes: ['orders:read'],
        ttl_seconds: 3600,
      });
      const { secret } = issuedOf(reply.body);
      await Promise.all(
        cluster.nodes.map(async (node) => {
          const connection = new VerifyConnection(node);
          const { code } = await connection.ask(secret, defaultKeyspace.name);
          connection.close();
          codes[code] = (codes[code] ?? 0) + 1;
        }),
      );
    },
  );
  const others = Object.entries(codes).filter(([code]) => code !== 'valid');
  if (others.length > 0) throw new Error(`issued and used at once: ${JSON.stringify(codes)}`);
  const tookMs = Math.round(performance.now() - began);
  report(
    'issued and used at once',
    `${count} keys on ${cluster.nodes.length} nodes: all valid (${tookMs} ms)`,
  );
}
