import { escapeText, htmlPage } from '../../report/html-page.ts';
import { isPassed, type ScenarioResult } from '../run/scenario.ts';
import { type ChaosReport, percent, slowestRecoveryMs, windowsText } from './report.ts';
import { timelineSvg } from './timeline-svg.ts';

export function htmlReport(report: ChaosReport): string {
  const { machine, command, keyswarm, seed, planted } = report;
  const about = `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, Keyswarm ${keyswarm}, ${machine.date}, seed ${seed}`;
  const failed = report.results.filter((result) => !isPassed(result));
  const verdict =
    failed.length === 0
      ? `Every promise held in ${report.results.length} scenarios.`
      : `Broken: ${failed.map(({ name }) => name).join(', ')}.`;
  const bug = planted === undefined ? '' : `<p class="bad">With a bug planted: ${escapeText(planted)}.</p>`;
  const main = `<h1>Keyswarm, broken on purpose</h1>
<p class="${failed.length === 0 ? 'good' : 'bad'}"><strong>${escapeText(verdict)}</strong></p>
${bug}
<p>${escapeText(about)}</p>
<p><code>${escapeText(command)}</code></p>
<p>The seed gives the load and the schedule of the faults; real processes do not run the same twice. Every operation was recorded as it was invoked and as it was answered, on one clock; what was never answered stays unknown.</p>
${report.left.map(({ name, why }) => `<p class="bad">Not run: ${escapeText(name)}: ${escapeText(why)}</p>`).join('\n')}
${report.results.map(scenarioHtml).join('\n')}`;
  return htmlPage({ title: `Keyswarm chaos, ${machine.date}`, style, main });
}

function scenarioHtml(result: ScenarioResult): string {
  const { checked, sometimes, notes, ownViolations, broken } = result;
  const recovery = slowestRecoveryMs(result);
  const availability = checked?.availability;
  const facts = [
    `worst revocation window ${windowsText(result)}`,
    `slowest recovery ${recovery === null ? '–' : `${Math.round(recovery)} ms`}`,
    `${checked?.acked ?? 0} acknowledged changes checked`,
    `verifications answered ${percent(availability?.answered ?? 0, availability?.asked ?? 0)} where nothing was broken, ${percent(availability?.answeredInAll ?? 0, availability?.askedInAll ?? 0)} in all`,
    `${result.operations} operations, ${result.notSent} due and not sent`,
  ];
  const rows = (checked?.verdicts ?? []).map((verdict) => {
    const word = !verdict.holds
      ? `broken ${verdict.violationCount}×`
      : verdict.checked === 0
        ? 'nothing to check'
        : 'held';
    const violations = verdict.violations
      .map((text) => `<div class="bad">${escapeText(text)}</div>`)
      .join('');
    return `<tr><th scope="row">${verdict.id} ${escapeText(verdict.name)}</th><td class="${verdict.holds ? 'good' : 'bad'}">${word}</td><td>${verdict.checked}</td><td class="text">${escapeText(verdict.found)}${violations}</td></tr>`;
  });
  const seen = sometimes.map(
    ({ target, reached }) =>
      `<li class="${reached ? 'good' : 'bad'}">${reached ? 'seen' : 'never'}: ${escapeText(target)}</li>`,
  );
  return `<section>
<h2>${escapeText(result.name)} <span class="${isPassed(result) ? 'good' : 'bad'}">${isPassed(result) ? 'held' : 'broken'}</span></h2>
<p>${escapeText(result.about)}</p>
${broken === undefined ? '' : `<pre class="bad">${escapeText(broken)}</pre>`}
<figure>${timelineSvg(result.timeline)}</figure>
<p>${escapeText(facts.join('; '))}.</p>
<div class="table"><table><thead><tr><th scope="col">promise</th><th scope="col"></th><th scope="col">checked</th><th scope="col">found</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>
<ul>${seen.join('')}${ownViolations.map((text) => `<li class="bad">${escapeText(text)}</li>`).join('')}${notes.map((text) => `<li>${escapeText(text)}</li>`).join('')}</ul>
</section>`;
}

const style = `
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5b6168; --paper: #fff; --grid: #d9dde1; --valid: #0b63ce; --refused: #8a2c8f; --away: #b4560a; --lost: #a40e26; --band: #f3d6b0; --good: #1a7f37; --bad: #b01722; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a2a9b1; --paper: #15181c; --grid: #333a42; --valid: #6db3ff; --refused: #d891dc; --away: #f0a35e; --lost: #ff7b86; --band: #4a3416; --good: #57ab5a; --bad: #ff7b86; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { margin: 0 0 8px; } h2 { margin: 40px 0 8px; border-top: 1px solid var(--grid); padding-top: 24px; }
h2 span { font-size: 14px; font-weight: 600; } code, pre { overflow-wrap: anywhere; white-space: pre-wrap; }
.good { color: var(--good); } .bad { color: var(--bad); } li.good { color: var(--ink); }
figure { margin: 0; } svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; }
.grid { stroke: var(--grid); } .band { fill: var(--band); } .after { fill: var(--band); opacity: 0.45; }
.line { fill: none; stroke-width: 1.6; } .valid { stroke: var(--valid); } .refused { stroke: var(--refused); } .away { stroke: var(--away); } .lost { stroke: var(--lost); }
.swatch.valid { fill: var(--valid); } .swatch.refused { fill: var(--refused); } .swatch.away { fill: var(--away); } .swatch.lost { fill: var(--lost); } .dot { fill: var(--refused); }
.table { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { text-align: left; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--grid); vertical-align: top; } th[scope=row] { font-weight: 500; white-space: nowrap; }
`;
