import type { JsonObject } from '../encoding/json.ts';
import { assert } from '../errors/assert.ts';
import { Fault } from '../errors/fault.ts';
import {
  rotateAfterSecondsMax,
  rotateAfterSecondsMin,
  scopesPerKeyspaceMax,
  settleSecondsMax,
} from '../limits/limits.ts';
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
}

export interface ApprovalRules {
  /** Whoever issues a key with a scope that one of these covers needs a second manager; empty: nobody does. */
  readonly scopes: readonly string[];
}

/** `signature`: every request has to be signed (RFC 9421), and a bare bearer is refused by every verifier. */
export const proofRules = ['bearer', 'signature'] as const;
export type ProofRule = (typeof proofRules)[number];

export interface KeyspaceRules {
  readonly proof: ProofRule;
  readonly rotation: RotationRules;
  readonly approval: ApprovalRules;
}

export type KeyspaceRulesPatch = {
  readonly proof?: ProofRule | undefined;
  readonly rotation?:
    | { readonly [Name in keyof RotationRules]?: RotationRules[Name] | undefined }
    | undefined;
  readonly approval?: ApprovalRules | undefined;
};

export const rulesDefault: KeyspaceRules = Object.freeze({
  proof: 'bearer',
  rotation: Object.freeze({ rotateAfterSeconds: null, settleSeconds: null }),
  approval: Object.freeze({ scopes: Object.freeze([]) }),
});

/** The rules after a patch, checked. What is absent stays as it was. */
export function patchRules(present: KeyspaceRules, patch: KeyspaceRulesPatch): KeyspaceRules {
  const { rotation = {}, approval, proof } = patch;
  return {
    proof: proof === undefined ? present.proof : checkProofRule(proof),
    rotation: checkRotation({
      rotateAfterSeconds: kept(rotation.rotateAfterSeconds, present.rotation.rotateAfterSeconds),
      settleSeconds: kept(rotation.settleSeconds, present.rotation.settleSeconds),
    }),
    approval: approval === undefined ? present.approval : checkApproval(approval),
  };
}

/** As the store keeps it; null: all as by default. */
export function encodeKeyspaceRules({ proof, rotation, approval }: KeyspaceRules): JsonObject | null {
  const { rotateAfterSeconds, settleSeconds } = rotation;
  const present = {
    ...(proof === 'bearer' ? {} : { proof }),
    ...(rotateAfterSeconds === null ? {} : { rotate_after_seconds: rotateAfterSeconds }),
    ...(settleSeconds === null ? {} : { settle_seconds: settleSeconds }),
    ...(approval.scopes.length === 0 ? {} : { approval_scopes: approval.scopes }),
  };
  return Object.keys(present).length === 0 ? null : present;
}

/** Of what the store gave back. */
export function decodeKeyspaceRules(stored: Readonly<Record<string, unknown>> | null): KeyspaceRules {
  if (stored === null) return rulesDefault;
  const { rotate_after_seconds: rotateAfter, settle_seconds: settle, approval_scopes: scopes } = stored;
  const proof = proofRules.find((rule) => rule === stored.proof) ?? 'bearer';
  assert(stored.proof === undefined || stored.proof === proof, 'a stored rule of proof is one that is known');
  return {
    proof,
    rotation: {
      rotateAfterSeconds: typeof rotateAfter === 'number' ? rotateAfter : null,
      settleSeconds: typeof settle === 'number' ? settle : null,
    },
    approval: { scopes: Array.isArray(scopes) ? scopes.map(String) : [] },
  };
}

function checkRotation(rules: RotationRules): RotationRules {
  const { rotateAfterSeconds, settleSeconds } = rules;
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

function checkApproval({ scopes }: ApprovalRules): ApprovalRules {
  return { scopes: checkScopes(scopes, { field: '/approval/scopes', countMax: scopesPerKeyspaceMax }) };
}

/** Null is a value here, so only undefined means "as it was". */
function kept<Value>(value: Value | undefined, present: Value): Value {
  return value === undefined ? present : value;
}
