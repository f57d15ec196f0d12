import { describe, expect, it } from 'vitest';
import { type AnyOperation, operationIds, operations } from '../index.ts';
import { redactionPaths, secretHeaders, secretPathsOf } from './redaction-paths.ts';

describe('redaction', () => {
  it('covers every secret of every request and reply', () => {
    expect(redactionPaths('req.body', 'res.body')).toEqual([
      'req.body.key',
      'req.body.keys[*].hash.value',
      'req.body.keys[*].key',
      'req.body.request.headers[*].value',
      'res.body.management_key.secret',
      'res.body.results[*].secret',
      'res.body.secret',
    ]);
  });

  it('covers the headers that carry a key or that a stored reply is encrypted under', () => {
    expect(secretHeaders).toContain('authorization');
    expect(secretHeaders).toContain('idempotency-key');
  });

  it('misses no field that is called a secret, a key string or a hash', () => {
    const suspicious = /(^|\.|\*\]\.)(secret|key|value|token|password)$/;
    for (const id of operationIds) {
      const row: AnyOperation = operations[id];
      for (const schema of [row.body, row.response.schema]) {
        if (schema === undefined) continue;
        const secret = new Set(secretPathsOf(schema));
        for (const path of leafPaths(schema, '')) {
          if (suspicious.test(path)) expect(secret, `${id} ${path}`).toContain(path);
        }
      }
    }
  });
});

interface Node {
  readonly properties?: Record<string, Node>;
  readonly items?: Node;
}

function leafPaths(node: Node, path: string): string[] {
  if (node.items !== undefined) return leafPaths(node.items, `${path}[*]`);
  if (node.properties === undefined) return [path];
  return Object.entries(node.properties).flatMap(([name, part]) =>
    leafPaths(part, path === '' ? name : `${path}.${name}`),
  );
}
