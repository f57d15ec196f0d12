import { beforeAll, expect } from 'vitest';
import { type Issued, issue, type Keyspace, makeKeyspace, terms } from './fixtures.ts';
import type { Reply, RequestOptions, TestServer } from './test-server.ts';

/** Two managers, of whom one asks and the other decides, and what they do all day. */
export function approvalDesk(serverOf: () => TestServer) {
  const seats: { asker?: Issued; decider?: Issued } = {};
  beforeAll(async () => {
    const verbs = ['issue', 'update', 'rotate', 'import', 'read', 'verify'].map((verb) => `keys:${verb}`);
    seats.asker = await issue(serverOf(), 'keyswarm', {
      scopes: [...verbs, 'keys:issue:keyswarm', 'keyspaces:write', 'approvals:*'],
    });
    seats.decider = await issue(serverOf(), 'keyswarm', { scopes: ['approvals:read', 'approvals:decide'] });
  });
  const seated = (one: Issued | undefined): Issued => {
    if (one === undefined) throw new Error('the desk is not open yet');
    return one;
  };
  const as = ({ secret }: Issued): RequestOptions => ({ key: secret });
  const wish = (keyspace: string, more: object = {}) =>
    terms(keyspace, { scopes: ['orders:write'], ...more });
  const decide = (body: object, by = seated(seats.decider)): Promise<Reply> =>
    serverOf().post('/v1/approvals/decide', body, as(by));
  return {
    /** Asks for keys, and may do to them all that a manager can. */
    get asker(): Issued {
      return seated(seats.asker);
    },
    /** Decides, and may issue nothing. */
    get decider(): Issued {
      return seated(seats.decider);
    },
    as,
    wish,
    decide,
    ruled: (scopes: readonly string[] = ['orders:write'], policy: object = {}): Promise<Keyspace> =>
      makeKeyspace(serverOf(), { approval: { scopes }, ...policy }),
    async request(keyspace: string, more: object = {}, by = seated(seats.asker)): Promise<string> {
      const reply = await serverOf().post('/v1/approvals', wish(keyspace, more), as(by));
      expect(reply.status, reply.text).toBe(201);
      return String(reply.body.id);
    },
    async approve(ids: readonly string[], by = seated(seats.decider)): Promise<unknown> {
      const reply = await decide({ decision: 'approve', ids }, by);
      expect(reply.status, reply.text).toBe(200);
      return reply.body.results;
    },
    collect: (id: string, options: RequestOptions = as(seated(seats.asker))): Promise<Reply> =>
      serverOf().post(`/v1/approvals/${id}/collect`, {}, options),
    stateOf: async (id: string): Promise<unknown> => (await serverOf().get(`/v1/approvals/${id}`)).body.state,
  };
}
