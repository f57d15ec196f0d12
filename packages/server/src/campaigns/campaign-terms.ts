import {
  type CampaignKind,
  type CampaignTerms,
  campaignHoldSecondsMax,
  campaignWindowSecondsMax,
  checkScopes,
  checkText,
  type DeadlinePolicy,
  Fault,
  nameLengthMax,
  type OwnerId,
  reasonLengthMax,
  type SelectableState,
} from '@keyswarm/core';
import {
  campaignErrorBudgetDefault,
  campaignHoldSecondsDefault,
  campaignPaceDefault,
  campaignPaceMax,
  campaignScopesMax,
  campaignVerifyP99MsDefault,
  campaignVerifyP99MsMax,
  campaignWaitSecondsDefault,
  campaignWindowSecondsDefault,
} from '../limits.ts';

/** What a caller asks for, decoded from the wire. */
export interface CampaignWish {
  readonly kind: CampaignKind;
  readonly name?: string | undefined;
  readonly reason?: string | undefined;
  readonly selector: {
    /** Id or name. */
    readonly keyspace?: string | undefined;
    readonly all?: boolean | undefined;
    readonly prefix?: string | undefined;
    readonly ownerId?: OwnerId | undefined;
    readonly scopes?: readonly string[] | undefined;
    readonly issuedBeforeMs?: number | undefined;
    readonly state?: SelectableState | undefined;
  };
  readonly confirm?: number | 'all' | undefined;
  readonly dryRun?: boolean | undefined;
  readonly windowSeconds?: number | undefined;
  readonly deadlineMs?: number | undefined;
  readonly onDeadline?: DeadlinePolicy | undefined;
  readonly pace?:
    | {
        readonly keysPerSecond?: number | undefined;
        readonly verifyP99Ms?: number | undefined;
        readonly errorBudget?: number | undefined;
      }
    | undefined;
  readonly holdSeconds?: number | undefined;
}

/** All of the terms but what is selected, each checked; throws the fault that names the field. */
export function checkTerms(wish: CampaignWish, nowMs: number): Omit<CampaignTerms, 'selector'> {
  refuseForRevoke(wish);
  const windowSeconds = within(wish.windowSeconds ?? campaignWindowSecondsDefault, '/window_seconds', {
    min: 0,
    max: campaignWindowSecondsMax,
    unit: 'seconds',
  });
  const windowMs = wish.kind === 'rotate' ? windowSeconds * 1000 : 0;
  return {
    kind: wish.kind,
    name: textOf(wish.name ?? '', '/name', nameLengthMax),
    reason: wish.reason === undefined ? null : textOf(wish.reason, '/reason', reasonLengthMax),
    windowMs,
    deadlineMs: deadlineOf(wish, nowMs, windowMs),
    onDeadline: wish.onDeadline ?? 'leave',
    pace: paceOf(wish.pace ?? {}),
    holdMs:
      1000 *
      within(wish.holdSeconds ?? campaignHoldSecondsDefault, '/canary/hold_seconds', {
        min: 0,
        max: campaignHoldSecondsMax,
        unit: 'seconds',
      }),
  };
}

export function checkSelectorScopes(scopes: readonly string[] | undefined): readonly string[] {
  return checkScopes(scopes ?? [], { field: '/selector/scopes', countMax: campaignScopesMax });
}

/** A revocation asks no holder, so nothing that says when holders renew has a meaning. */
function refuseForRevoke(wish: CampaignWish): void {
  if (wish.kind !== 'revoke') return;
  const misplaced =
    wish.windowSeconds !== undefined
      ? '/window_seconds'
      : wish.deadlineMs !== undefined
        ? '/deadline'
        : wish.onDeadline !== undefined
          ? '/on_deadline'
          : undefined;
  if (misplaced === undefined) return;
  throw new Fault('invalid_field', {
    detail: 'A campaign that revokes asks no holder and waits for none.',
    field: misplaced,
    expected: 'nothing, or the kind "rotate"',
  });
}

function deadlineOf({ deadlineMs }: CampaignWish, nowMs: number, windowMs: number): number {
  if (deadlineMs === undefined) return nowMs + windowMs + campaignWaitSecondsDefault * 1000;
  if (deadlineMs >= nowMs + windowMs) return deadlineMs;
  const isPast = deadlineMs <= nowMs;
  throw new Fault('invalid_field', {
    detail: isPast ? 'The deadline lies in the past.' : 'The deadline comes before the window has passed.',
    field: '/deadline',
    expected: `${new Date(nowMs + windowMs).toISOString()} or later`,
  });
}

function paceOf(pace: NonNullable<CampaignWish['pace']>): CampaignTerms['pace'] {
  return {
    keysPerSecond: within(pace.keysPerSecond ?? campaignPaceDefault, '/pace/keys_per_second', {
      min: 1,
      max: campaignPaceMax,
      unit: 'keys a second',
    }),
    verifyP99Ms: within(pace.verifyP99Ms ?? campaignVerifyP99MsDefault, '/pace/verify_p99_ms', {
      min: 1,
      max: campaignVerifyP99MsMax,
      unit: 'milliseconds',
    }),
    errorBudget: within(pace.errorBudget ?? campaignErrorBudgetDefault, '/pace/error_budget', {
      min: 0,
      max: 1,
      unit: 'as a share',
    }),
  };
}

function within(
  value: number,
  field: string,
  { min, max, unit }: { readonly min: number; readonly max: number; readonly unit: string },
): number {
  if (Number.isFinite(value) && value >= min && value <= max) return value;
  throw new Fault('invalid_field', {
    detail: 'Out of the bounds of a campaign.',
    field,
    expected: `${min} to ${max} ${unit}`,
  });
}

function textOf(text: string, field: string, lengthMax: number): string {
  return checkText(text, field, { lengthMin: 0, lengthMax, controlCharacters: 'refused' });
}
