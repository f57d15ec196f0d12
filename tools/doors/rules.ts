/*
 * The doors of the house: which room may know which. A row says whom it binds, what they may reach (`only`) or
 * may not (`never`, save `except`), and why. `breach` is a planted fault that the row has to catch; the test
 * beside this file tries every one, so a row that catches nothing fails.
 *
 * Targets are written as
 *   packages/…      a file of the house, where a relative import leads
 *   house:core      a package of the house, imported by its name
 *   npm:pg          a package from the registry
 *   node:crypto     a module of Node
 * `*` stands for one segment of a path, `**` for any number of them.
 */

export interface Door {
  readonly name: string;
  readonly rooms: readonly string[];
  /** Everything else is shut. A room may always reach itself. */
  readonly only?: readonly string[];
  readonly never?: readonly string[];
  /** Opens again a part of what `never` shuts. */
  readonly except?: readonly string[];
  /** Open to `import type` alone: a port may stand in the file of its implementation. */
  readonly typesFrom?: readonly string[];
  /** Files of the rooms that the row does not bind. */
  readonly free?: readonly string[];
  readonly because: string;
  readonly breach: { readonly path: string; readonly source: string };
}

/** Files that test, and what they may reach besides what their room may. */
export const testFiles = [
  '**/*.test.ts',
  '**/*.conformance.ts',
  '**/*-conformance.ts',
  '**/*.arbitrary.ts',
  '**/testing/**',
];
export const testsMayAlso = [
  'npm:vitest',
  'npm:fast-check',
  'npm:jose',
  'npm:fast-jwt',
  'npm:@sd-jwt/jwt-status-list',
  'npm:ajv',
  'npm:ajv/**',
  'npm:ajv-formats',
  'npm:express',
  'npm:fastify',
  'npm:hono',
  'npm:@hono/node-server',
  'npm:http-message-sig',
  'npm:http-message-signatures',
  'node:*',
  'node:*/**',
  'house:harness/leaves-out',
  'house:harness/nats',
  'house:harness/nginx',
  'house:harness/faults',
  'house:harness/postgres',
  'house:harness/wall-clock',
  'house:core/testing',
];

const useCases = [
  'signing-keys',
  'tokens',
  'access',
  'keys',
  'approvals',
  'holders',
  'owners',
  'keyspaces',
  'workspaces',
  'webhooks',
  'dead-letters',
  'campaigns',
  'retention',
  'events',
];
const useCaseRooms = useCases.map((room) => `packages/server/src/${room}/**`);
const ports = ['packages/server/src/*/*-port.ts'];
const drivers = ['npm:pg', 'npm:pg-native', 'npm:@electric-sql/**'];

export const doors: readonly Door[] = [
  {
    name: 'core-imports-nobody',
    rooms: ['packages/core/src/**'],
    only: ['packages/core/src/**'],
    because: 'the rules of a key are pure, so that they can be proved, replayed and run anywhere',
    breach: { path: 'packages/core/src/lifecycle/a.ts', source: "import { createHash } from 'node:crypto';" },
  },
  {
    name: 'http-signatures-read-and-write-only',
    rooms: ['packages/http-signatures/src/**'],
    only: ['packages/http-signatures/src/**', 'npm:structured-headers'],
    because:
      'clients, verifiers and servers read a message in the same way; who signs and when is not known here, and no key ever comes in',
    breach: {
      path: 'packages/http-signatures/src/a.ts',
      source: "import { verify } from 'node:crypto';",
    },
  },
  {
    name: 'test-tools-are-for-tests',
    rooms: ['packages/**'],
    never: ['house:core/testing'],
    because:
      'it leads to a test runner, which no program has at hand; tests may go through it from everywhere',
    breach: {
      path: 'packages/verifier/src/a.ts',
      source: "import { checkProperty } from '@keyswarm/core/testing';",
    },
  },
  {
    name: 'contract-knows-core-only',
    rooms: ['packages/contract/src/**'],
    only: ['packages/contract/src/**', 'house:core', 'npm:typebox', 'npm:typebox/**', 'node:buffer'],
    because: 'the wire is described once, for servers and clients alike',
    breach: { path: 'packages/contract/src/a.ts', source: "import Ajv from 'ajv';" },
  },
  {
    name: 'verification-never-leaves-memory',
    rooms: [
      'packages/verifier/src/table/**',
      'packages/verifier/src/verdict/**',
      'packages/verifier/src/lease/**',
      'packages/verifier/src/feed/**',
      'packages/verifier/src/clock/**',
      'packages/verifier/src/signatures/**',
      'packages/verifier/src/uses/**',
      'packages/verifier/src/resident-verifier.ts',
    ],
    only: [
      'packages/verifier/src/table/**',
      'packages/verifier/src/verdict/**',
      'packages/verifier/src/lease/**',
      'packages/verifier/src/feed/**',
      'packages/verifier/src/clock/**',
      'packages/verifier/src/signatures/**',
      'packages/verifier/src/uses/**',
      'packages/verifier/src/testing/**',
      'packages/verifier/src/*.ts',
      'house:core',
      'house:http-signatures',
      'node:buffer',
      'node:crypto',
      'node:perf_hooks',
      'node:util',
    ],
    because: 'no file, no socket and no waiting stand between a key and its verdict',
    breach: {
      path: 'packages/verifier/src/table/a.ts',
      source: "export { readFile } from 'node:fs/promises';",
    },
  },
  {
    name: 'verifier-stands-alone',
    rooms: ['packages/verifier/src/**'],
    only: ['packages/verifier/src/**', 'house:core', 'house:http-signatures', 'node:*', 'node:*/**'],
    because:
      'it runs in any Node service, with nothing of the server; from the registry comes what reads structured fields, and nothing else',
    breach: {
      path: 'packages/verifier/src/relay/a.ts',
      source: "import { request } from 'undici';",
    },
  },
  {
    name: 'middleware-knows-no-framework',
    rooms: ['packages/middleware/src/**'],
    only: [
      'packages/middleware/src/**',
      'house:core',
      'house:verifier',
      'house:http-signatures',
      'node:stream',
      'node:http',
    ],
    because:
      'it stands in front of services that run any framework of any version: what it touches of one is a type of its own',
    breach: { path: 'packages/middleware/src/a.ts', source: "import type { Request } from 'express';" },
  },
  {
    name: 'nats-carries-and-decides-nothing',
    rooms: ['packages/nats/src/**'],
    only: ['packages/nats/src/**', 'house:core', 'house:verifier', 'house:verifier/**', 'npm:@nats-io/*'],
    because: 'a transport is a way of the feed like any other: it knows no server, no store and no HTTP',
    breach: {
      path: 'packages/nats/src/a.ts',
      source: "import { createPostgresStore } from '@keyswarm/server';",
    },
  },
  {
    name: 'brokers-live-in-nats',
    rooms: ['packages/*/src/**'],
    free: ['packages/nats/src/**'],
    never: ['npm:@nats-io/*'],
    because: 'a broker is optional while only one package knows what it is made of',
    breach: {
      path: 'packages/server/src/feed/a.ts',
      source: "import { connect } from '@nats-io/transport-node';",
    },
  },
  {
    name: 'sdk-runs-anywhere',
    rooms: ['packages/sdk/src/**'],
    only: ['packages/sdk/src/**', 'house:core', 'house:contract/routes', 'house:http-signatures'],
    typesFrom: ['house:contract'],
    because:
      'the client needs fetch and nothing else, so that it runs where its user runs: no Node, no schemas',
    breach: { path: 'packages/sdk/src/a.ts', source: "import { request } from 'node:http';" },
  },
  {
    name: 'cli-speaks-through-sdk',
    rooms: ['packages/cli/src/**'],
    only: [
      'packages/cli/src/**',
      'house:sdk',
      'house:core',
      'house:contract',
      'house:server/start',
      'house:server/verifier',
      'npm:commander',
      'node:*',
      'node:*/**',
    ],
    because: 'what the command can do, every client of the API can do; only `start` and `verifier` hold one',
    breach: { path: 'packages/cli/src/a.ts', source: "import { Lanes } from '@keyswarm/server';" },
  },
  {
    name: 'console-speaks-through-sdk',
    rooms: ['packages/console/src/**'],
    only: [
      'packages/console/src/**',
      'house:sdk',
      'npm:preact',
      'npm:preact/**',
      'npm:@preact/signals',
      'npm:uplot',
      'npm:uplot/**',
    ],
    typesFrom: ['house:contract'],
    because:
      'what the page can do, every client of the API can do; it runs in a browser and carries no schemas along',
    breach: {
      path: 'packages/console/src/pages/a.tsx',
      source: "import { readFile } from 'node:fs/promises';",
    },
  },
  {
    name: 'server-packages',
    rooms: ['packages/server/src/**'],
    never: ['house:sdk', 'house:cli', 'house:harness', 'house:harness/**'],
    because: 'the authority depends on no client of its own, and on nothing made for tests',
    breach: { path: 'packages/server/src/main.ts', source: "import { createClient } from '@keyswarm/sdk';" },
  },
  {
    name: 'storage-knows-no-use',
    rooms: ['packages/server/src/storage/**'],
    never: [
      'packages/server/src/http/**',
      'packages/server/src/lanes/**',
      'packages/server/src/feed/**',
      ...useCaseRooms,
      'npm:fastify',
      'npm:fastify/**',
      'npm:ajv',
    ],
    because: 'the store keeps and returns; what it is used for, and by whom, is not its business',
    breach: {
      path: 'packages/server/src/storage/a.ts',
      source: "import { issue } from '../keys/issue-key.ts';",
    },
  },
  {
    name: 'write-path-knows-no-use',
    rooms: ['packages/server/src/lanes/**', 'packages/server/src/feed/**'],
    never: ['packages/server/src/http/**', ...useCaseRooms, 'npm:fastify', 'npm:fastify/**'],
    because:
      'lanes and feed carry any write and any change; what one means is decided before it reaches them',
    breach: {
      path: 'packages/server/src/lanes/a.ts',
      source: "import { grant } from '../access/grants.ts';",
    },
  },
  {
    name: 'relay-knows-no-wire',
    rooms: ['packages/server/src/relay/**'],
    never: ['packages/server/src/http/**', 'packages/server/src/lanes/**', 'npm:fastify', 'npm:fastify/**'],
    because: 'who may hold a lease is kept the same, whichever wire it was asked for by',
    breach: {
      path: 'packages/server/src/relay/a.ts',
      source: "import { FeedDoor } from '../http/feed-door.ts';",
    },
  },
  {
    name: 'the-picture-asks-nobody',
    rooms: ['packages/server/src/live/**'],
    never: [
      ...drivers,
      'packages/server/src/http/**',
      'packages/server/src/storage/**',
      'packages/server/src/lanes/**',
      ...useCaseRooms,
      'npm:fastify',
      'npm:fastify/**',
    ],
    except: ports,
    because:
      'what is watched is read off what is counted anyway; a picture that asks the store for keys costs by their number',
    breach: {
      path: 'packages/server/src/live/a.ts',
      source: "import { listKeys } from '../keys/read-keys.ts';",
    },
  },
  {
    name: 'runtime-stands-at-the-bottom',
    rooms: ['packages/server/src/runtime/**'],
    only: [
      'packages/server/src/runtime/**',
      'house:verifier/random',
      'house:verifier/timers',
      'node:*',
      'node:*/**',
    ],
    because: 'time and chance know nobody, so that everybody may be given them',
    breach: { path: 'packages/server/src/runtime/a.ts', source: "import { Fault } from '@keyswarm/core';" },
  },
  {
    name: 'routes-carry-no-schemas',
    rooms: ['packages/contract/src/operations/routes.ts'],
    only: [],
    because: 'the client takes this file along wherever it runs, and nothing else of the contract',
    breach: { path: 'packages/contract/src/operations/routes.ts', source: "import Type from 'typebox';" },
  },
  {
    name: 'use-cases-know-ports',
    rooms: useCaseRooms,
    never: [
      ...drivers,
      'npm:fastify',
      'npm:fastify/**',
      'npm:pino',
      'npm:prom-client',
      'node:fs',
      'node:fs/**',
      'node:net',
      'node:http',
      'node:worker_threads',
      'packages/server/src/storage/**',
      'packages/server/src/lanes/**',
      'packages/server/src/feed/**',
      'packages/server/src/http/**',
      'packages/server/src/runtime/**',
    ],
    typesFrom: ['packages/server/src/runtime/**'],
    except: ports,
    because:
      'a use-case loads, decides in core and hands the change on; which engine and which wire is not its choice',
    breach: {
      path: 'packages/server/src/keys/a.ts',
      source: "import type { Store } from '../storage/store.ts';",
    },
  },
  {
    name: 'http-writes-no-sql',
    rooms: ['packages/server/src/http/**'],
    never: [...drivers, 'packages/server/src/storage/**', 'packages/server/src/lanes/**'],
    except: ports,
    because:
      'a handler translates; a query in a handler would be a second way to the data, past the decisions',
    breach: { path: 'packages/server/src/http/a.ts', source: "const pg = await import('pg');" },
  },
  {
    name: 'drivers-live-in-storage',
    rooms: ['packages/server/src/**'],
    free: ['packages/server/src/storage/**', '**/*.int.test.ts'],
    never: drivers,
    because: 'two engines stay one port only while nobody else can name either of them',
    breach: { path: 'packages/server/src/feed/a.ts', source: "import type { Pool } from 'pg';" },
  },
  {
    name: 'queues-live-in-workflows',
    rooms: ['packages/server/src/**'],
    free: ['packages/server/src/workflows/**'],
    never: ['npm:pg-boss'],
    because: 'a room says what is to be done and hands it on; which queues carry it is known in one place',
    breach: { path: 'packages/server/src/keys/a.ts', source: "import { PgBoss } from 'pg-boss';" },
  },
  {
    name: 'calls-go-out-through-egress',
    rooms: ['packages/server/src/**'],
    free: [
      'packages/server/src/egress/**',
      'packages/server/src/boot/accept-waiting.ts',
      'packages/server/src/http/**',
      'packages/server/src/gateways/**',
      'packages/server/src/verify-node/**',
      '**/*.test.ts',
      '**/testing/**',
      '**/suite/**',
    ],
    never: ['node:http', 'node:https', 'node:dns', 'npm:undici', 'npm:undici/**'],
    because:
      "an address on somebody else's word is checked before each connection, which one place does and others would forget",
    breach: { path: 'packages/server/src/deliveries/a.ts', source: "import { request } from 'node:https';" },
  },
  {
    name: 'egress-knows-no-use',
    rooms: ['packages/server/src/egress/**'],
    free: ['**/*.test.ts'],
    only: [
      'packages/server/src/egress/**',
      'packages/server/src/limits.ts',
      'packages/server/src/runtime/**',
      'house:core',
      'node:*',
      'node:*/**',
    ],
    because: 'what may be called does not depend on what is sent, and has to be read in one sitting',
    breach: {
      path: 'packages/server/src/egress/a.ts',
      source: "import { createWebhook } from '../webhooks/change-webhook.ts';",
    },
  },
  {
    name: 'workflows-know-no-use',
    rooms: ['packages/server/src/workflows/**'],
    free: ['**/*.test.ts', '**/*.conformance.ts'],
    never: [
      ...drivers,
      'packages/server/src/http/**',
      'packages/server/src/lanes/**',
      ...useCaseRooms,
      'npm:fastify',
      'npm:fastify/**',
    ],
    because: 'queues carry any job; what one does is given to them by whoever owns the work',
    breach: {
      path: 'packages/server/src/workflows/a.ts',
      source: "import { rotate } from '../keys/rotate-key.ts';",
    },
  },
  {
    name: 'workers-only-supervise',
    rooms: ['packages/server/src/workers/**'],
    never: [
      ...drivers,
      'npm:fastify',
      'npm:fastify/**',
      'node:http',
      'node:child_process',
      'packages/server/src/http/**',
      'packages/server/src/storage/**',
      'packages/server/src/lanes/**',
      'packages/server/src/feed/**',
      ...useCaseRooms,
    ],
    because: 'the supervisor takes no request, so that nothing a caller sends can reach it or stop it',
    breach: {
      path: 'packages/server/src/workers/a.ts',
      source: "import { buildHttpServer } from '../http/http-server.ts';",
    },
  },
  {
    name: 'main-wires',
    rooms: ['packages/server/src/*/**'],
    free: ['packages/server/src/boot/**', 'packages/server/src/verify-node/**', '**/*.int.test.ts'],
    never: ['packages/server/src/boot/**', 'packages/server/src/main.ts', 'packages/server/src/index.ts'],
    because:
      'the composition root sees everybody and is seen by nobody, else every room could reach every other',
    breach: {
      path: 'packages/server/src/keys/a.ts',
      source: "import { startServer } from '../boot/start-server.ts';",
    },
  },
  {
    name: 'chaos-judges-what-was-recorded',
    rooms: ['packages/harness/chaos/checker/**'],
    free: ['**/*.test.ts'],
    only: [
      'packages/harness/chaos/checker/**',
      'packages/harness/chaos/history/operation.ts',
      'packages/harness/chaos/limits.ts',
    ],
    because:
      'a verdict that looked at anything but the history could not be given again from the file of a run',
    breach: {
      path: 'packages/harness/chaos/checker/a.ts',
      source: "import { openStage } from '../stage/open-stage.ts';",
    },
  },
  {
    name: 'a-node-has-no-store',
    rooms: ['packages/server/src/verify-node/**', 'packages/server/src/gateways/**'],
    free: ['**/*.test.ts', '**/testing/**'],
    never: [
      ...drivers,
      'packages/server/src/storage/**',
      'packages/server/src/lanes/**',
      'packages/server/src/feed/**',
      'packages/server/src/boot/*-server.ts',
      'packages/server/src/boot/open-store.ts',
    ],
    because:
      'a verify-only node and a gateway answer from memory; what they can not import they can not come to wait for',
    breach: {
      path: 'packages/server/src/verify-node/a.ts',
      source: "import { openStore } from '../boot/open-store.ts';",
    },
  },
  {
    name: 'planted-bugs-stay-outside',
    rooms: ['packages/*/src/**', 'packages/cli/bin/**'],
    never: ['house:harness/planted'],
    because: 'a bug that the product could switch on is one that it ships',
    breach: {
      path: 'packages/verifier/src/lease/a.ts',
      source: "import { plantedBugs } from '@keyswarm/harness/planted';",
    },
  },
  {
    name: 'faults-know-nobody',
    rooms: ['packages/harness/faults/**', 'packages/harness/processes/**'],
    free: ['**/*.test.ts'],
    only: ['packages/harness/faults/**', 'packages/harness/processes/**', 'npm:pg', 'node:*', 'node:*/**'],
    because:
      'a tool that breaks something must not share code with what it breaks, or it would be wrong in the same way',
    breach: {
      path: 'packages/harness/faults/a.ts',
      source: "import { encodeFrame } from '@keyswarm/verifier';",
    },
  },
  {
    name: 'rooms-are-opened-for-the-simulation',
    rooms: ['packages/**', 'examples/**'],
    free: ['packages/harness/sim/**'],
    never: ['house:server/rooms/**', 'house:verifier/rooms/**'],
    because:
      'a simulation puts the house together from its rooms; everybody else has it from its doors, which may then move behind them',
    breach: {
      path: 'packages/cli/src/a.ts',
      source: "import { Lane } from '@keyswarm/server/rooms/lanes/lane';",
    },
  },
  {
    name: 'the-simulation-touches-no-machine',
    rooms: ['packages/harness/sim/**'],
    free: ['**/*.test.ts', 'packages/harness/sim/*.ts'],
    only: [
      'packages/harness/sim/**',
      'house:core',
      'house:contract',
      'house:verifier',
      'house:verifier/**',
      'house:server/rooms/**',
    ],
    because: 'a seed is a world only if nothing in it comes from a socket, a file or the machine it runs on',
    breach: { path: 'packages/harness/sim/net/a.ts', source: "import { connect } from 'node:net';" },
  },
];
