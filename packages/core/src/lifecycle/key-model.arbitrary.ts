/*
 * The lifecycle once more, as small and as plainly as it can be said: no tables, no derived states, nothing
 * shared with the deciders. `lifecycle.model.test.ts` runs both side by side and compares what can be seen.
 */

export interface ModelVersion {
  readonly number: number;
  readonly mintedAtMs: number;
  /** From here on it does not work any more; infinite while nothing ends it. */
  endMs: number;
}

export interface KeyModel {
  nowMs: number;
  readonly maxTtlMs: number;
  readonly maxGraceMs: number;
  /** Infinitely early while the owner's keys have never been revoked. */
  watermarkMs: number;
  issued: boolean;
  beginsMs: number;
  endsMs: number;
  suspended: boolean;
  revoked: boolean;
  revision: number;
  versions: ModelVersion[];
}

export function newModel(policy: {
  readonly nowMs: number;
  readonly maxTtlMs: number;
  readonly maxGraceMs: number;
}): KeyModel {
  return {
    ...policy,
    watermarkMs: Number.NEGATIVE_INFINITY,
    issued: false,
    beginsMs: Number.NEGATIVE_INFINITY,
    endsMs: Number.POSITIVE_INFINITY,
    suspended: false,
    revoked: false,
    revision: 0,
    versions: [],
  };
}

/** Why the key as a whole takes no more changes; undefined if it does. */
export function deadCode(model: KeyModel): string | undefined {
  if (model.revoked) return 'key_revoked';
  return model.nowMs >= model.endsMs ? 'key_expired' : undefined;
}

export function newestOf(model: KeyModel): ModelVersion {
  const newest = model.versions.at(-1);
  if (newest === undefined) throw new Error('the model has no version');
  return newest;
}

/** The older version that still works beside the newest. */
export function overlapping(model: KeyModel): ModelVersion | undefined {
  return model.versions.slice(0, -1).find((version) => version.endMs > model.nowMs);
}

export function mint(model: KeyModel, number: number): void {
  const mintedAtMs = Math.max(model.nowMs, model.watermarkMs + 1);
  model.versions.push({ number, mintedAtMs, endMs: Number.POSITIVE_INFINITY });
}

export function expectRotate(model: KeyModel, graceMs: number, cut: boolean): string {
  const dead = deadCode(model);
  if (dead !== undefined) return dead;
  if (model.suspended) return 'key_suspended';
  if (graceMs > model.maxGraceMs) return 'grace_too_long';
  const old = overlapping(model);
  if (old !== undefined && !cut) return 'rotation_in_progress';
  if (old !== undefined) old.endMs = model.nowMs;
  const newest = newestOf(model);
  newest.endMs = Math.min(model.nowMs + graceMs, model.endsMs);
  mint(model, newest.number + 1);
  model.revision += 1;
  return 'done';
}

/** What is told of uses; null: nothing. `unheardMsAgo`: until when a verifier that is silent may have accepted keys. */
export interface ToldOfUse {
  readonly oldMsAgo: number | null;
  readonly newMsAgo: number | null;
  readonly unheardMsAgo: number | null;
}

export function expectFinish(model: KeyModel, force: boolean, told: ToldOfUse): string {
  const dead = deadCode(model);
  if (dead !== undefined) return dead;
  const old = overlapping(model);
  if (old === undefined) return 'not_rotating';
  if (!force) {
    const { oldMsAgo, newMsAgo, unheardMsAgo } = told;
    if (oldMsAgo !== null && oldMsAgo < 300_000) return 'version_in_use';
    if (newMsAgo === null) return 'new_version_unused';
    const graceMsAgo = model.nowMs - (model.versions.at(-1)?.mintedAtMs ?? 0);
    if (unheardMsAgo !== null && unheardMsAgo < Math.min(300_000, graceMsAgo)) return 'use_unproven';
  }
  old.endMs = model.nowMs;
  model.revision += 1;
  return 'done';
}

export function expectRevoke(model: KeyModel): string {
  if (model.revoked) return 'already_revoked';
  model.revoked = true;
  model.revision += 1;
  return 'done';
}

export function expectSuspend(model: KeyModel): string {
  const refused = deadCode(model) ?? (model.suspended ? 'already_suspended' : undefined);
  if (refused !== undefined) return refused;
  model.suspended = true;
  model.revision += 1;
  return 'done';
}

export function expectResume(model: KeyModel): string {
  const refused = deadCode(model) ?? (model.suspended ? undefined : 'not_suspended');
  if (refused !== undefined) return refused;
  model.suspended = false;
  model.revision += 1;
  return 'done';
}

/** An infinite expiry is "never". */
export function expectExpiry(model: KeyModel, endsMs: number): string {
  const dead = deadCode(model);
  if (dead !== undefined) return dead;
  if (endsMs <= model.nowMs) return 'expiry_in_past';
  if (endsMs <= model.beginsMs) return 'expiry_conflict';
  if (endsMs > newestOf(model).mintedAtMs + model.maxTtlMs) return 'ttl_too_long';
  model.endsMs = endsMs;
  // Only what has not ended yet can be shortened.
  const old = overlapping(model);
  if (old !== undefined) old.endMs = Math.min(old.endMs, endsMs);
  model.revision += 1;
  return 'done';
}

/** What a verifier with a true clock and all scopes must say of a version. */
export function expectVerdict(model: KeyModel, version: ModelVersion): string {
  if (model.revoked || version.mintedAtMs <= model.watermarkMs) return 'revoked';
  if (model.nowMs >= model.endsMs || model.nowMs >= version.endMs) return 'expired';
  if (model.suspended) return 'suspended';
  return model.nowMs < model.beginsMs ? 'not_yet_valid' : 'valid';
}
