/*
 * Bugs that the tests have to catch: each is a promise of the house, broken in one place. The product has no switch for
 * them. A bug is a change of the source text, made while a file is loaded, in a process that was started with
 * `--import …/planted/register.ts` and names the bug; what is on the disk, and what is shipped, knows nothing of it.
 *
 * A test asserts that each change fits today's source exactly once: where the source has moved on, the bug moves along.
 */

export interface PlantedBug {
  readonly name: string;
  /** What a reviewer might have let pass. */
  readonly breaks: string;
  /** From the root of the repository. */
  readonly file: string;
  readonly edits: readonly Edit[];
  /** Where one place would be caught by another: defences that have to fall together. */
  readonly also?: readonly { readonly file: string; readonly edits: readonly Edit[] }[];
}

/** `find` stands in the file once. */
export interface Edit {
  readonly find: string;
  readonly replace: string;
}

/** Statements that a bug sends in a transaction of their own, once the one that they belong to has committed. */
function sentLater(names: readonly string[]): readonly Edit[] {
  return [
    {
      find: 'const attempt = await attemptBatch(tx, entries, context);',
      replace: `const isLater = (name) => ${JSON.stringify(names)}.includes(name);
        const later = { query: (statement, params) => isLater(statement.name)
          ? (deferred.push([statement, params]), Promise.resolve((params[1] ?? params).map?.(() => ({})) ?? [{}]))
          : tx.query(statement, params) };
        const attempt = await attemptBatch(later, entries, context);`,
    },
    {
      find: 'return await store.transaction(\n      async (tx) => {',
      replace:
        'const deferred = [];\n    const done = await store.transaction(\n      async (tx) => {\n deferred.length = 0;',
    },
    {
      find: '{ signal: deadline.signal },\n    );\n  } finally {',
      replace: `{ signal: deadline.signal },\n    );
    if (deferred.length > 0) {
      await store.transaction(async (tx) => {
        for (const [statement, params] of deferred) await tx.query(statement, params);
      }).catch(() => undefined);
    }
    return done;
  } finally {`,
    },
  ];
}

const lease = 'packages/verifier/src/lease/lease.ts';
const batchRunner = 'packages/server/src/lanes/batch-runner.ts';
const holdsLine = 'return nowMs - baseMs <= leaseMs && wallMs - baseWallMs <= leaseMs;';

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'accept-when-stale',
    breaks: 'VALID is said on a lease of any age',
    file: lease,
    edits: [{ find: holdsLine, replace: 'return baseMs > Number.NEGATIVE_INFINITY;' }],
  },
  {
    name: 'wall-clock-in-the-lease',
    breaks: 'the age of a lease is counted on the wall clock alone, which anybody may set back',
    file: lease,
    edits: [
      { find: holdsLine, replace: 'return wallMs - baseWallMs <= leaseMs;' },
      {
        find: 'return Math.abs(offsetMs - this.#offsetMs) > this.#jumpMsMax;',
        replace: 'return false && offsetMs > 0;',
      },
    ],
  },
  {
    name: 'heartbeat-renews-lease',
    breaks: 'what is pushed renews the lease, though it says nothing of what was not pushed',
    file: 'packages/verifier/src/resident-verifier.ts',
    edits: [
      {
        find: 'this.#loading?.keep(fresh);\n    this.#observer?.applied(fresh);',
        replace:
          'this.#loading?.keep(fresh);\n    this.#lease.renew(this.#clock.monotonicMs(), this.#lease.quarantined);\n    this.#observer?.applied(fresh);',
      },
    ],
  },
  {
    name: 'skip-a-sequence',
    breaks: 'a hole in the feed is not noticed: the position moves past rows that never came',
    file: 'packages/verifier/src/feed/positions.ts',
    edits: [{ find: "return stretch.after <= seq ? 'next' : 'ahead';", replace: "return 'next';" }],
  },
  {
    name: 'lease-counts-from-the-answer',
    breaks: 'the lease begins when the answer came and not when the question was asked',
    file: 'packages/verifier/src/follow/follower.ts',
    edits: [
      { find: 'provenAtMs(p0Ms, heads.ageMs),', replace: 'provenAtMs(clock.monotonicMs(), heads.ageMs),' },
    ],
  },
  {
    name: 'relay-passes-no-age',
    breaks: 'a relay behind a relay answers as if it had just read the heads itself',
    file: 'packages/verifier/src/relay/feed-relay.ts',
    edits: [
      {
        find: 'ageMs: leaseAgeMs,\n      fromPrimary: false,',
        replace: 'ageMs: 0,\n      fromPrimary: false,',
      },
    ],
  },
  {
    name: 'older-fact-wins',
    breaks: 'a fact that comes late takes the place of a newer one',
    file: 'packages/verifier/src/table/owners.ts',
    edits: [
      {
        find: 'if (fact.revision <= (this.#revisions[index] ?? 0)) return;',
        replace: 'if (fact.revision === (this.#revisions[index] ?? 0)) return;',
      },
    ],
  },
  {
    name: 'ack-before-commit',
    breaks: 'callers are answered when their write is decided and not when it is durable',
    file: batchRunner,
    edits: [
      {
        find: 'note(attempt);\n',
        replace: 'note(attempt);\n        settle(runner, shard, entries, attempt);\n',
      },
    ],
  },
  {
    name: 'naive-outbox',
    breaks: 'the feed row is written in another transaction than what it tells of',
    file: batchRunner,
    edits: sentLater(['append_feed']),
  },
  {
    name: 'idempotency-outside-the-transaction',
    breaks: 'the reply is kept in another transaction than its effect',
    file: batchRunner,
    edits: sentLater(['insert_idempotency', 'replace_replies']),
  },
  {
    name: 'unknown-commit-runs-again',
    breaks: 'a write whose COMMIT was cut off is run again without a look whether it took place',
    file: batchRunner,
    edits: [
      {
        find: "if (committed === 'yes' && attempt !== undefined) return { kind: 'committed', attempt };\n        if (committed === 'unreachable') return { kind: 'failed', error };",
        replace: 'void committed;',
      },
    ],
  },
  {
    name: 'double-rotate-on-resume',
    breaks: 'a campaign that goes on after a crash asks keys again that it has asked already',
    file: 'packages/core/src/campaigns/chunk.ts',
    edits: [
      { find: 'one.stage === other.stage &&', replace: 'one.stage >= 0 || other.stage >= 0 ||' },
      { find: 'if (key.traits.campaign === campaign.id) return undefined;\n', replace: '' },
    ],
    also: [
      {
        file: 'packages/server/src/campaigns/campaign-driver.ts',
        edits: [{ find: 'documents.map(progressOf)', replace: 'documents.map(() => progressOf(undefined))' }],
      },
    ],
  },
  {
    name: 'retired-in-use',
    breaks: 'a rotation is finished while the old version is used',
    file: 'packages/core/src/lifecycle/use-evidence.ts',
    edits: [
      {
        find: 'if (old === undefined || current === undefined) return undefined;',
        replace: 'if (old !== undefined || current === undefined) return undefined;',
      },
    ],
  },
  {
    name: 'settles-by-its-own-clock',
    breaks:
      'whether a silent verifier may have accepted an old version is reckoned by the clock of this server',
    file: 'packages/server/src/keys/finish-settled.ts',
    edits: [{ find: 'unheard.asOfMs - windowMs', replace: 'ports.clock.nowMs() - windowMs' }],
  },
  {
    name: 'expiry-is-generous',
    breaks: 'an expiry counts as passed a second late, as if a clock had to be forgiven',
    file: 'packages/core/src/verdict/judge.ts',
    edits: [
      {
        find: "if (!(latestMs < standing.expiresAtMs)) return 'expired';",
        replace: "if (!(latestMs - 1000 < standing.expiresAtMs)) return 'expired';",
      },
    ],
  },
];

export function findPlantedBug(name: string): PlantedBug {
  const found = plantedBugs.find((bug) => bug.name === name);
  if (found !== undefined) return found;
  const names = plantedBugs.map((bug) => bug.name).join(', ');
  throw new Error(`there is no planted bug "${name}"; there are: ${names}`);
}

/** Every file that it is in. */
export function filesOf(
  bug: PlantedBug,
): readonly { readonly file: string; readonly edits: readonly Edit[] }[] {
  return [bug, ...(bug.also ?? [])];
}

/** The text with the bug in it. Throws where the source has moved on. */
export function plantIn(
  source: string,
  name: string,
  { file, edits }: { readonly file: string; readonly edits: readonly Edit[] },
): string {
  let text = source;
  for (const { find, replace } of edits) {
    const count = source.split(find).length - 1;
    if (count !== 1) throw new Error(`the planted bug "${name}" fits ${file} ${count} times, not once`);
    text = text.replace(find, () => replace);
  }
  return text;
}
