import type { FaultCode } from '../errors/registry.ts';
import type { KeyState, VersionState } from './key-record.ts';

/*
 * The whole lifecycle as two total tables (SPEC.md tells them in words). Deciders ask the table and nothing else
 * whether an event is admitted, so a state that is not in the table can't be reached and a refusal has one code.
 * The tables are typed as total: a state or an event without its entry does not compile.
 */

/** What a caller can ask of a key, and the two things that happen to it by the clock alone. */
export type KeyCommand = 'rotate' | 'finish' | 'update' | 'suspend' | 'resume' | 'revoke';
export type KeyClockEvent = 'begin' | 'expire';
export type KeyEvent = KeyCommand | KeyClockEvent;

/** The states it may land in (two only where the clock decides which), or the fault that it is refused with. */
export type Transition<State> = { readonly to: readonly State[] } | { readonly refuse: FaultCode };

const to = <State>(...states: State[]): Transition<State> => ({ to: states });
const refuse = (code: FaultCode): { readonly refuse: FaultCode } => ({ refuse: code });

export const keyTransitions: Readonly<Record<KeyState, Readonly<Record<KeyEvent, Transition<KeyState>>>>> = {
  pending: {
    rotate: to('pending'),
    finish: to('pending'),
    update: to('pending'),
    suspend: to('suspended'),
    resume: refuse('not_suspended'),
    revoke: to('revoked'),
    begin: to('active'),
    expire: to('expired'),
  },
  active: {
    rotate: to('active'),
    finish: to('active'),
    update: to('active'),
    suspend: to('suspended'),
    resume: refuse('not_suspended'),
    revoke: to('revoked'),
    begin: to('active'),
    expire: to('expired'),
  },
  suspended: {
    // A suspended key hands out no new secret, but ending an old one only ever takes away.
    rotate: refuse('key_suspended'),
    finish: to('suspended'),
    update: to('suspended'),
    suspend: refuse('already_suspended'),
    resume: to('active', 'pending'),
    revoke: to('revoked'),
    begin: to('suspended'),
    expire: to('expired'),
  },
  revoked: {
    rotate: refuse('key_revoked'),
    finish: refuse('key_revoked'),
    update: refuse('key_revoked'),
    suspend: refuse('key_revoked'),
    resume: refuse('key_revoked'),
    revoke: refuse('already_revoked'),
    begin: to('revoked'),
    expire: to('revoked'),
  },
  expired: {
    rotate: refuse('key_expired'),
    finish: refuse('key_expired'),
    update: refuse('key_expired'),
    suspend: refuse('key_expired'),
    resume: refuse('key_expired'),
    // Admitted: an expiry rests on a clock and a revocation does not, so a leaked key can be ended for good
    // even if its expiry passed a moment ago.
    revoke: to('revoked'),
    begin: to('expired'),
    expire: to('expired'),
  },
};

/**
 * What happens to one version. `supersede`: a newer one is minted and this one overlaps with it. `cut`: a newer
 * one is minted and this one ends at once. `finish`: its grace is ended. `lapse`: its grace runs out.
 */
export type VersionEvent = 'supersede' | 'cut' | 'finish' | 'lapse';

export const versionTransitions: Readonly<
  Record<VersionState, Readonly<Record<VersionEvent, Transition<VersionState>>>>
> = {
  active: {
    supersede: to('grace'),
    cut: to('retired'),
    finish: refuse('not_rotating'),
    lapse: to('active'),
  },
  grace: {
    // A third live version: the one in grace has to be cut explicitly.
    supersede: refuse('rotation_in_progress'),
    cut: to('retired'),
    finish: to('retired'),
    lapse: to('retired'),
  },
  retired: {
    supersede: to('retired'),
    cut: to('retired'),
    finish: refuse('not_rotating'),
    lapse: to('retired'),
  },
};
