/** Why a message carries no signature that could be looked at. Closed, so that callers can switch on it and count. */
export const problemReasons = [
  'absent',
  'malformed',
  'too_large',
  'ambiguous',
  'component_unknown',
  'component_missing',
  'component_twice',
  'component_value',
  'parameter_missing',
  'parameter_value',
  'lifetime',
  'digest_malformed',
  'digest_unsupported',
] as const;

export type ProblemReason = (typeof problemReasons)[number];

/**
 * Thrown inside this package and turned into a value by `readSignature`; builders (which sign) let it through. `detail`
 * names a component or a parameter, never a value, so it can be logged and answered.
 */
export class SignatureProblem extends Error {
  override readonly name = 'SignatureProblem';
  readonly reason: ProblemReason;

  constructor(reason: ProblemReason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}
