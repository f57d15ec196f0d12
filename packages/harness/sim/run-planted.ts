import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Caught } from './catch-one.ts';

/** The longest that one search may take. */
const searchMsMax = 20 * 60_000;

/** Runs seeds in a process of their own with a bug in it. */
export function runPlanted(
  bug: string,
  seeds: { readonly first: number; readonly count: number; readonly hours: number },
): Promise<Caught | null> {
  const register = join(import.meta.dirname, '../planted/register.ts');
  const program = join(import.meta.dirname, 'catch-one.ts');
  const args = ['--import', register, program, ...[seeds.first, seeds.count, seeds.hours].map(String)];
  const options = { env: { ...process.env, PLANTED_BUG: bug }, timeout: searchMsMax };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as Caught | null);
      else reject(new Error(`the search for "${bug}" broke off: ${stderr.slice(-2_000)}`, { cause: error }));
    });
  });
}
