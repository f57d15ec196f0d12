import { isPassed, type ScenarioResult } from '../run/scenario.ts';
import { percent, slowestRecoveryMs, windowsText } from './report.ts';

/** What one scenario has shown, for a terminal. */
export function scenarioText(result: ScenarioResult): string {
  const lines = [
    '',
    `${isPassed(result) ? 'HELD  ' : 'BROKEN'}  ${result.name}  (seed ${result.seed}, ${Math.round(result.seconds)} s)`,
    `        ${result.about}`,
  ];
  if (result.broken !== undefined) lines.push(`        broke off: ${result.broken}`);
  for (const { id, name, holds, checked, found, violations, violationCount } of result.checked?.verdicts ??
    []) {
    const verdict = !holds ? `BROKEN ${violationCount}×` : checked === 0 ? 'nothing to check' : 'held';
    lines.push(`        ${id.padEnd(4)}${name.padEnd(40)}${verdict.padEnd(18)}${checked} checked; ${found}`);
    for (const violation of violations) lines.push(`            ${violation}`);
  }
  for (const violation of result.ownViolations) lines.push(`        BROKEN  ${violation}`);
  for (const { target, reached } of result.sometimes)
    lines.push(`        ${reached ? 'seen   ' : 'NEVER  '} ${target}`);
  for (const note of result.notes) lines.push(`        ${note}`);
  const { checked } = result;
  if (checked !== undefined) {
    const { availability } = checked;
    const recovery = slowestRecoveryMs(result);
    lines.push(
      `        worst revocation window ${windowsText(result)}; recovery ${recovery === null ? '–' : `${Math.round(recovery)} ms`}; ` +
        `${checked.acked} acknowledged changes checked; verifications answered ${percent(availability.answered, availability.asked)} ` +
        `where nothing was broken (${availability.asked}), ${percent(availability.answeredInAll, availability.askedInAll)} in all; ` +
        `${result.operations} operations, ${result.notSent} due and not sent`,
    );
  }
  return lines.join('\n');
}
