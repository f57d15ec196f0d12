/** What whoever started the run can mend: said in one sentence, without a stack. */
export class ChaosError extends Error {
  override readonly name = 'ChaosError';
}
