import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issue, makeKeyspace } from '../boot/suite/fixtures.ts';
import { fleetFamilies } from '../metrics/fleet-families.ts';
import { type StoreHouse, startStoreHouse } from './testing/store-house.ts';
import type { TestNode } from './testing/test-node.ts';

/* What an operator is handed: dashboard, alerts and the page. A name in them that nobody shows is an alert that never comes. */

const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
const files = ['deploy/grafana/keyswarm.json', 'deploy/prometheus/alerts.yml', 'docs/operating.md'];

let house: StoreHouse;
let node: TestNode;
let shown: ReadonlySet<string>;
let nodeText: string;
beforeAll(async () => {
  house = await startStoreHouse();
  node = await house.startNode();
  await node.ready;
  const { name } = await makeKeyspace(house.server);
  const { id } = await issue(house.server, name);
  const { seq } = (await house.server.post(`/v1/keys/${id}/revoke`, {})).body;
  await fetch(`${node.url}/v1/keys/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${house.server.rootKey}` },
    body: JSON.stringify({ key: 'x', min_seq: seq }),
  });
  nodeText = await (await fetch(`${node.url}/metrics`)).text();
  const serverText = (await house.server.get('/metrics')).text;
  const ofFleet = fleetFamilies({ workers: 1, fresh: new Map([[1, []]]), past: [], restarts: 0 });
  shown = new Set([...typesOf(serverText), ...typesOf(nodeText), ...ofFleet.map((family) => family.name)]);
}, 60_000);
afterAll(() => house.close());

function typesOf(text: string): readonly string[] {
  return [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
}

describe('what is handed to operators', () => {
  it.each(files)('%s names no metric that a real scrape does not show', (path) => {
    const named = new Set(read(path).match(/\bkeyswarm_[a-z0-9_]+[a-z0-9]\b/g) ?? []);
    expect(named.size).toBeGreaterThan(10);
    const missing = [...named].filter(
      (name) => !shown.has(name) && !shown.has(name.replace(/_(bucket|sum|count)$/, '')),
    );
    expect(missing).toEqual([]);
  });

  it('the page of operators tells of every metric that there is', () => {
    const page = read('docs/operating.md');
    // Node's own, and one series a worker of what is told of for all.
    const told = /^keyswarm_(nodejs|process|worker)_/;
    expect([...shown].filter((name) => !told.test(name) && !page.includes(`\`${name}`))).toEqual([]);
  });

  it('the dashboard is one that Grafana can read, and no two of its panels lie on each other', () => {
    const board = JSON.parse(read('deploy/grafana/keyswarm.json')) as {
      readonly panels: readonly {
        readonly id: number;
        readonly gridPos: { x: number; y: number; w: number; h: number };
      }[];
    };
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
    const taken = new Set<string>();
    for (const { gridPos } of board.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x},${y}`), `${x},${y}`).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
    }
  });

  it('a revocation that reached a node is in how long revocations take', () => {
    expect(nodeText).toMatch(/keyswarm_revocation_propagation_seconds_count 1\n/);
  });
});
