import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KeyState, type Step, searchOrder } from './search-order.ts';

/* The search, against histories that were made from a true order, and against all orders there are. */

type Deed = 'issue' | 'suspend' | 'resume' | 'revoke';
const lifeAfter: Readonly<Record<Deed, Readonly<Partial<Record<KeyState['life'], KeyState['life']>>>>> = {
  issue: { absent: 'active' },
  suspend: { active: 'suspended' },
  resume: { suspended: 'active' },
  revoke: { active: 'revoked', suspended: 'revoked' },
};
const apply = (deed: Deed) => (state: KeyState) => {
  const life = lifeAfter[deed][state.life];
  return life === undefined ? undefined : { ...state, life };
};
const reads = (life: KeyState['life']) => (state: KeyState) => (state.life === life ? state : undefined);
const step = (
  [invokedMs, settledMs]: readonly [number, number],
  change: Step['apply'],
  mustHappen = true,
): Step => ({ invokedMs, settledMs, mustHappen, apply: change });

/** Operations that happened at 10, 20, 30 …, each seen for some time before and after that instant. */
const trueHistory = fc
  .array(
    fc.record({
      deed: fc.constantFrom<Deed | 'read'>('issue', 'suspend', 'resume', 'revoke', 'read'),
      before: fc.integer({ min: 0, max: 40 }),
      after: fc.integer({ min: 0, max: 40 }),
      isKnown: fc.boolean(),
    }),
    { maxLength: 7 },
  )
  .map((drawn) => {
    let state: KeyState = { life: 'absent', versions: 0 };
    const steps: Step[] = [];
    for (const [at, { deed, before, after, isKnown }] of drawn.entries()) {
      const times = [at * 10 - before, isKnown ? at * 10 + after : Number.POSITIVE_INFINITY] as const;
      if (deed === 'read') {
        steps.push(step([times[0], at * 10 + after], reads(state.life)));
        continue;
      }
      const next = apply(deed)(state);
      if (next !== undefined) {
        state = next;
        steps.push(step(times, apply(deed), isKnown));
      }
    }
    return steps;
  });

/** Tries every order of every choice, without any cleverness. */
function byForce(steps: readonly Step[], state: KeyState = { life: 'absent', versions: 0 }): boolean {
  if (steps.every(({ mustHappen }) => !mustHappen)) return true;
  return steps.some((next, at) => {
    const rest = steps.filter((_, index) => index !== at);
    if (rest.some((other) => other.mustHappen && other.settledMs < next.invokedMs)) return false;
    const after = next.apply(state);
    return after !== undefined && byForce(rest, after);
  });
}

describe('the search for an order', () => {
  it('explains every history that did happen', () => {
    fc.assert(fc.property(trueHistory, (steps) => searchOrder(steps) === 'explained'));
  });

  it('says the same as trying all orders, of histories that may never have happened', () => {
    const made = fc.array(
      fc
        .tuple(
          fc.integer({ min: 0, max: 20 }),
          fc.integer({ min: 0, max: 20 }),
          fc.constantFrom<Deed | KeyState['life']>(
            'issue',
            'suspend',
            'resume',
            'revoke',
            'active',
            'suspended',
            'revoked',
          ),
          fc.boolean(),
        )
        .map(([from, took, what, mustHappen]) => {
          const change = what in lifeAfter ? apply(what as Deed) : reads(what as KeyState['life']);
          return step([from, mustHappen ? from + took : Number.POSITIVE_INFINITY], change, mustHappen);
        }),
      { maxLength: 6 },
    );
    fc.assert(fc.property(made, (steps) => (searchOrder(steps) === 'explained') === byForce(steps)));
  });

  it('finds no order where a read saw what only came after it', () => {
    const steps = [
      step([0, 10], apply('issue')),
      step([40, 50], apply('revoke')),
      step([20, 30], reads('revoked')),
    ];
    expect(searchOrder(steps)).toBe('impossible');
    const unknown = [
      step([0, 10], apply('issue')),
      step([15, Number.POSITIVE_INFINITY], apply('revoke'), false),
    ];
    expect(searchOrder([...unknown, step([20, 30], reads('revoked'))])).toBe('explained');
    expect(searchOrder([...unknown, step([20, 30], reads('revoked')), step([40, 50], reads('active'))])).toBe(
      'impossible',
    );
  });
});
