import type { KeyIssue } from '@keyswarm/contract';

/** What a person filled in, as the API takes it; what is wrong with it the server says. */
export function readIssueForm(form: FormData): KeyIssue {
  const text = (name: string): string => String(form.get(name) ?? '').trim();
  const ttl = text('ttl');
  const name = text('name');
  return {
    keyspace: text('keyspace'),
    owner: { kind: text('owner_kind') as KeyIssue['owner']['kind'], external_id: text('owner_id') },
    scopes: text('scopes')
      .split(/[\s,]+/)
      .filter((scope) => scope !== ''),
    ...(name === '' ? {} : { name }),
    ...(ttl === '' ? {} : { ttl_seconds: Number(ttl) }),
  };
}
