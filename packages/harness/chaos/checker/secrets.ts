import type { Evidence } from './evidence.ts';
import { Finding, type InvariantVerdict } from './verdict.ts';

/** I10. None of the run's secrets stands anywhere but in the reply that gave it: every key's secret is a canary. */
export function checkSecrets({ secrets }: Pick<Evidence, 'secrets'>): InvariantVerdict {
  const finding = new Finding('I10');
  finding.check(secrets.places);
  for (const { where, of } of secrets.found) finding.violate(`the secret of ${of} stands in ${where}`);
  return finding.verdict(`${(secrets.bytes / 1e6).toFixed(1)} MB in ${secrets.places} places searched`);
}
