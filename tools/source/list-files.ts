import { execFileSync } from 'node:child_process';

/** Tracked files and new ones that git does not ignore, relative to `root`, with forward slashes. */
export function listFiles(root: string): readonly string[] {
  return git(root, ['ls-files', '--cached', '--others', '--exclude-standard', '-z']);
}

/** Only what a clone would hold. */
export function listTrackedFiles(root: string): readonly string[] {
  return git(root, ['ls-files', '-z']);
}

function git(root: string, args: readonly string[]): readonly string[] {
  const printed = execFileSync('git', [...args], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  return [...new Set(printed.split('\0').filter((line) => line !== ''))].sort();
}
