import type { JsonObject } from '../encoding/json.ts';
import { assert } from '../errors/assert.ts';
import { Fault } from '../errors/fault.ts';
import {
  derivedTtlDefaultSeconds,
  derivedTtlSecondsMax,
  inUseWindowSecondsDefault,
  inUseWindowSecondsMax,
  inUseWindowSecondsMin,
  rotateAfterSecondsMax,
  rotateAfterSecondsMin,
  scopesPerKeyspaceMax,
  settleSecondsMax,
} from '../limits/limits.ts';
import { type SigningAlgorithm, signingAlgorithms } from '../signing/signing-key.ts';
import { checkInteger, checkScopes } from './check-fields.ts';

/*
 * The parts of a keyspace's policy that no verifier needs and that most keyspaces leave as they are. They are kept
 * as one JSON value, so that a rule more is no change of the schema.
 */

export interface RotationRules {
  /** A secret that is older is due: its holder is asked to renew it. Null: nobody is asked. */
  readonly rotateAfterSeconds: number | null;
  /** How long after the first use of the new version the old one ends, if it has been silent. Null: at the end of its grace. */
  readonly settleSeconds: number | null;
  /** A version that was used within it counts as in use: finishing its rotation needs force. */
  readonly inUseWindowSeconds: number;
}

export interface ApprovalRules {
  /** Whoever issues a key with a scope that one of these covers needs a second manager; empty: nobody does. */
  readonly scopes: readonly string[];
}

/** `signature`: every request has to be signed (RFC 9421), and a bare bearer is refused by every verifier. */
export const proofRules = ['bearer', 'signature'] as const;
export type ProofRule = (typeof proofRules)[number];

/** Of tokens: those that are keys of a keyspace of the format `jwt`, and those that are derived of any key. */
export interface TokenRules {
  readonly algorithm: SigningAlgorithm;
  /** The longest life of a derived token. */
  readonly derivedTtlSeconds: number;
}

export interface KeyspaceRules {
  readonly proof: ProofRule;
  readonly token: TokenRules;
  readonly rotation: RotationRules;
  readonly approval: ApprovalRules;
}

export type KeyspaceRulesPatch = {
  readonly proof?: ProofRule | undefined;
  readonly rotation?:
    | { readonly [Name in keyof RotationRules]?: RotationRules[Name] | undefined }
    | undefined;
  readonly approval?: ApprovalRules | undefined;
  readonly token?: { readonly [Name in keyof TokenRules]?: TokenRules[Name] | undefined } | undefined;
};

export const rulesDefault: KeyspaceRules = Object.freeze({
  proof: 'bearer',
  rotation: Object.freeze({
    rotateAfterSeconds: null,
    settleSeconds: null,
    inUseWindowSeconds: inUseWindowSecondsDefault,
  }),
  approval: Object.freeze({ scopes: Object.freeze([]) }),
  token: Object.freeze({ algorithm: 'ed25519', derivedTtlSeconds: derivedTtlDefaultSeconds }),
});

/** The rules after a patch, checked. What is absent stays as it was. */
export function patchRules(present: KeyspaceRules, patch: KeyspaceRulesPatch): KeyspaceRules {
  const { rotation = {}, approval, token = {}, proof } = patch;
  return {
    proof: proof === undefined ? present.proof : checkProofRule(proof),
    rotation: checkRotation({
      rotateAfterSeconds: kept(rotation.rotateAfterSeconds, present.rotation.rotateAfterSeconds),
      settleSeconds: kept(rotation.settleSeconds, present.rotation.settleSeconds),
      inUseWindowSeconds: kept(rotation.inUseWindowSeconds, present.rotation.inUseWindowSeconds),
    }),
    approval: approval === undefined ? present.approval : checkApproval(approval),
    token: checkToken({
      algorithm: token.algorithm ?? present.token.algorithm,
      derivedTtlSeconds: token.derivedTtlSeconds ?? present.token.derivedTtlSeconds,
    }),
  };
}

/** As the store keeps it; null: all as by default. */
export function encodeKeyspaceRules({ proof, rotation, approval, token }: KeyspaceRules): JsonObject | null {
  const { rotateAfterSeconds, settleSeconds, inUseWindowSeconds } = rotation;
  const present = {
    ...(proof === 'bearer' ? {} : { proof }),
    ...(rotateAfterSeconds === null ? {} : { rotate_after_seconds: rotateAfterSeconds }),
    ...(settleSeconds === null ? {} : { settle_seconds: settleSeconds }),
    ...(inUseWindowSeconds === inUseWindowSecondsDefault
      ? {}
      : { in_use_window_seconds: inUseWindowSeconds }),
    ...(approval.scopes.length === 0 ? {} : { approval_scopes: approval.scopes }),
    ...(token.algorithm === rulesDefault.token.algorithm ? {} : { token_algorithm: token.algorithm }),
    ...(token.derivedTtlSeconds === derivedTtlDefaultSeconds
      ? {}
      : { derived_ttl_seconds: token.derivedTtlSeconds }),
  };
  return Object.keys(present).length === 0 ? null : present;
}

/** Of what the store gave back. */
export function decodeKeyspaceRules(stored: Readonly<Record<string, unknown>> | null): KeyspaceRules {
  if (stored === null) return rulesDefault;
  const { rotate_after_seconds: rotateAfter, settle_seconds: settle, approval_scopes: scopes } = stored;
  const proof = proofRules.find((rule) => rule === stored.proof) ?? 'bearer';
  assert(stored.proof === undefined || stored.proof === proof, 'a stored rule of proof is one that is known');
  const {
    token_algorithm: algorithm,
    derived_ttl_seconds: derivedTtl,
    in_use_window_seconds: inUse,
  } = stored;
  return {
    proof,
    rotation: {
      rotateAfterSeconds: typeof rotateAfter === 'number' ? rotateAfter : null,
      settleSeconds: typeof settle === 'number' ? settle : null,
      inUseWindowSeconds: typeof inUse === 'number' ? inUse : inUseWindowSecondsDefault,
    },
    approval: { scopes: Array.isArray(scopes) ? scopes.map(String) : [] },
    token: {
      algorithm: signingAlgorithms.find((name) => name === algorithm) ?? rulesDefault.token.algorithm,
      derivedTtlSeconds: typeof derivedTtl === 'number' ? derivedTtl : derivedTtlDefaultSeconds,
    },
  };
}

function checkRotation(rules: RotationRules): RotationRules {
  const { rotateAfterSeconds, settleSeconds, inUseWindowSeconds } = rules;
  if (rotateAfterSeconds !== null) {
    const bounds = { min: rotateAfterSecondsMin, max: rotateAfterSecondsMax, unit: 'seconds' };
    checkInteger(rotateAfterSeconds, '/rotation/rotate_after_seconds', bounds);
  }
  if (settleSeconds !== null) {
    checkInteger(settleSeconds, '/rotation/settle_seconds', {
      min: 0,
      max: settleSecondsMax,
      unit: 'seconds',
    });
  }
  checkInteger(inUseWindowSeconds, '/rotation/in_use_window_seconds', {
    min: inUseWindowSecondsMin,
    max: inUseWindowSecondsMax,
    unit: 'seconds',
  });
  return rules;
}

function checkProofRule(proof: ProofRule): ProofRule {
  if (proofRules.includes(proof)) return proof;
  throw new Fault('invalid_field', {
    detail: 'How requests prove their key is not known.',
    field: '/proof',
    expected: proofRules.join(' or '),
  });
}

function checkToken(rules: TokenRules): TokenRules {
  if (!signingAlgorithms.includes(rules.algorithm)) {
    throw new Fault('invalid_field', {
      detail: 'Tokens are not signed with this algorithm.',
      field: '/token/algorithm',
      expected: signingAlgorithms.join(' or '),
    });
  }
  const bounds = { min: 1, max: derivedTtlSecondsMax, unit: 'seconds' };
  checkInteger(rules.derivedTtlSeconds, '/token/derived_ttl_seconds', bounds);
  return rules;
}

function checkApproval({ scopes }: ApprovalRules): ApprovalRules {
  return { scopes: checkScopes(scopes, { field: '/approval/scopes', countMax: scopesPerKeyspaceMax }) };
}

/** Null is a value here, so only undefined means "as it was". */
function kept<Value>(value: Value | undefined, present: Value): Value {
  return value === undefined ? present : value;
}
