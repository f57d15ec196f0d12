import type { Api } from '../acceptance/api.ts';

interface Shown {
  readonly id: string;
  readonly revision: number;
  readonly versions: readonly { readonly version: number }[];
}

/** Throws unless each key was asked once and renewed once: issued, asked, renewed and the old one ended are four revisions and two versions. */
export async function checkEachOnce(api: Api, keyspace: string, ids: readonly string[]): Promise<void> {
  const left = new Set(ids);
  const wrong: string[] = [];
  let cursor = '';
  for (;;) {
    const { body } = await api.call('GET', `/v1/keys?keyspace=${keyspace}&limit=200${cursor}`);
    for (const { id, revision, versions } of body.items as readonly Shown[]) {
      left.delete(id);
      const newest = Math.max(...versions.map(({ version }) => version));
      if (revision !== 4 || newest !== 2) wrong.push(`${id} is at revision ${revision}, version ${newest}`);
    }
    if (typeof body.next_cursor !== 'string') break;
    cursor = `&cursor=${body.next_cursor}`;
  }
  if (left.size > 0) throw new Error(`${left.size} keys are not there any more`);
  if (wrong.length > 0)
    throw new Error(`${wrong.length} keys were not taken once: ${wrong.slice(0, 3).join('; ')}`);
}

/** How often each key was asked by the campaign, as the events tell it. */
export async function checkAskedOnce(api: Api, campaignId: string, ids: readonly string[]): Promise<number> {
  const asked = new Map<string, number>(ids.map((id) => [id, 0]));
  let after = '';
  for (;;) {
    const { body } = await api.call('GET', `/v1/events?types=key.renew_requested&limit=200${after}`);
    const items = body.items as readonly { subject: string; data: { campaign?: string } }[];
    for (const { subject, data } of items) {
      if (data.campaign === campaignId) asked.set(subject, (asked.get(subject) ?? 0) + 1);
    }
    const next = `&after=${String(body.next_cursor)}`;
    if (items.length === 0 && next === after) break;
    after = next;
  }
  const twice = [...asked.values()].filter((count) => count > 1).length;
  const never = [...asked.values()].filter((count) => count === 0).length;
  if (twice > 0 || never > 0) throw new Error(`${twice} keys were asked twice, ${never} never`);
  return asked.size;
}
