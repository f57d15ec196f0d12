import { spawnSync } from 'node:child_process';
import { findProgram } from './find-program.ts';

/** Why processes can't be given a wall clock of their own here; undefined: they can. */
export function noWallClocks(): string | undefined {
  const leftOut = 'what is shown of wall clocks that are set wrong';
  return findProgram({ name: 'faketime', debianPackage: 'faketime', leftOut }).missing;
}

/**
 * Variables that give a process a wall clock of its own. Its monotonic clock stays the machine's: no clock that is set
 * wrong moves that one.
 */
export function wallClock(own: WallClock): Readonly<Record<string, string>> {
  const asked = spawnSync('faketime', ['-f', '+0s', 'env'], { encoding: 'utf8' });
  const preload = /^LD_PRELOAD=(.+)$/m.exec(asked.stdout ?? '')?.[1];
  if (preload === undefined) throw new Error('faketime names no library');
  return {
    LD_PRELOAD: preload,
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    ...('offset' in own
      ? { FAKETIME: own.offset }
      : { FAKETIME_TIMESTAMP_FILE: own.offsetFile, FAKETIME_CACHE_DURATION: '1' }),
  };
}

/** Off by so much, as in `+3600s`, or by what a file says, which is looked at once a second. */
export type WallClock = { readonly offset: string } | { readonly offsetFile: string };
