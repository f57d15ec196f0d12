import type { Life, Operation } from '../history/operation.ts';
import { searchedOperationsMax } from '../limits.ts';
import type { Evidence, FinalKey } from './evidence.ts';
import type { KeyStory, LogicalWrite } from './key-story.ts';
import { type KeyState, type Step, searchOrder } from './search-order.ts';
import { Finding, type InvariantVerdict } from './verdict.ts';

/*
 * I2. What was acknowledged is there at the end, and nothing is there that nobody asked for. For each key there has to be an order
 * of its writes that explains every reply, every read of the store, and what stands there at the end; and for each verifier one that
 * explains what it said to whoever asked it to be as fresh as the last acknowledged change (`min_seq`). One place at a time: two
 * verifiers may hear of a change that is not acknowledged yet in either order.
 */
export function checkDurability(
  { finalKeys }: Pick<Evidence, 'finalKeys'>,
  stories: ReadonlyMap<number, KeyStory>,
): { readonly verdict: InvariantVerdict; readonly acked: number } {
  const finding = new Finding('I2');
  const byId = new Map(finalKeys.map((key) => [key.keyId, key]));
  const byName = new Map(finalKeys.map((key) => [key.name, key]));
  let acked = 0;
  let undecided = 0;
  for (const story of stories.values()) {
    const writes = [...(story.issue === undefined ? [] : [story.issue]), ...story.writes];
    acked += writes.filter(({ outcome }) => outcome === 'ok').length;
    const name = `chaos ${story.key}`;
    const final = story.keyId === undefined ? byName.get(name) : byId.get(story.keyId);
    byName.delete(name);
    finding.check();
    for (const [place, reads] of placesOf(story)) {
      const last = place === 'the store' ? [finalStep(final)] : [];
      const result = searchOrder([...stepsOf(writes, reads), ...last]);
      if (result === 'undecided') undecided += 1;
      if (result === 'impossible')
        finding.violate(
          `key ${story.key}: no order of its changes explains what ${place} said (${tell(writes, final)})`,
        );
    }
  }
  for (const name of byName.keys()) {
    if (!name.startsWith('chaos ')) continue;
    finding.violate(`${name} is there, and nobody asked for it`);
  }
  const open = undecided === 0 ? '' : `; ${undecided} searches undecided`;
  return { verdict: finding.verdict(`${acked} acknowledged changes of ${stories.size} keys${open}`), acked };
}

/** What is read, place by place; the store first, which is there even if nobody read it. */
function placesOf(story: KeyStory): ReadonlyMap<string, readonly Operation[]> {
  const places = new Map<string, Operation[]>([['the store', [...story.reads]]]);
  for (const verify of story.verifies) {
    if (verify.minSeq === undefined || verify.outcome !== 'ok' || lifeSaid(verify.code) === undefined)
      continue;
    places.set(verify.at, [...(places.get(verify.at) ?? []), verify]);
  }
  return places;
}

function stepsOf(writes: readonly LogicalWrite[], reads: readonly Operation[]): readonly Step[] {
  const happened = writes.filter(({ outcome }) => outcome !== 'fail');
  const room = Math.max(0, searchedOperationsMax - happened.length);
  const answered = reads.filter(({ outcome }) => outcome === 'ok');
  // Evenly out of all of them: what is left out makes the search weaker, never wrong.
  const every = Math.max(1, Math.ceil(answered.length / Math.max(1, room)));
  return [...happened.map(writeStep), ...answered.filter((_, at) => at % every === 0).map(readStep)];
}

function writeStep(write: LogicalWrite): Step {
  return {
    invokedMs: write.invokedMs,
    settledMs: write.settledMs,
    mustHappen: write.outcome === 'ok',
    apply: (state) => applyWrite(write, state),
  };
}

function applyWrite({ kind, result }: LogicalWrite, state: KeyState): KeyState | undefined {
  const { life, versions } = state;
  switch (kind) {
    case 'issue':
      return life === 'absent' ? { life: 'active', versions: 1 } : undefined;
    case 'revoke':
      return life === 'active' || life === 'suspended' ? { life: 'revoked', versions } : undefined;
    case 'suspend':
      return life === 'active' ? { life: 'suspended', versions } : undefined;
    case 'resume':
      return life === 'suspended' ? { life: 'active', versions } : undefined;
    case 'rotate': {
      const made = result.version ?? versions + 1;
      return life === 'active' && made === versions + 1 ? { life, versions: made } : undefined;
    }
    case 'finish':
      return life === 'active' || life === 'suspended' ? state : undefined;
  }
}

function readStep(read: Operation): Step {
  const said = read.kind === 'verify' ? lifeSaid(read.code) : read.result?.life;
  const versions = read.kind === 'verify' ? undefined : read.result?.versions;
  return {
    invokedMs: read.invokedMs,
    settledMs: read.settledMs,
    mustHappen: true,
    apply: (state) =>
      state.life === said && (versions === undefined || versions === state.versions) ? state : undefined,
  };
}

function finalStep(final: FinalKey | undefined): Step {
  const life = final === undefined ? 'absent' : lifeOf(final.state);
  const versions = Math.max(0, ...(final?.versions ?? []).map(({ version }) => version));
  return {
    invokedMs: Number.MAX_VALUE,
    settledMs: Number.MAX_VALUE,
    mustHappen: true,
    apply: (state) => (state.life === life && state.versions === versions ? state : undefined),
  };
}

/** An expired key is an active one that nobody may use. */
export function lifeOf(state: string): Life {
  return state === 'revoked' || state === 'suspended' ? state : 'active';
}

function lifeSaid(code: string): Life | undefined {
  if (code === 'valid') return 'active';
  return code === 'revoked' || code === 'suspended' ? code : undefined;
}

function tell(writes: readonly LogicalWrite[], final: FinalKey | undefined): string {
  const done = writes.map(({ kind, outcome }) => `${kind} ${outcome}`).join(', ');
  const versions = Math.max(0, ...(final?.versions ?? []).map(({ version }) => version));
  return `${done}; at the end ${final === undefined ? 'absent' : `${final.state}, ${versions} versions`}`;
}
