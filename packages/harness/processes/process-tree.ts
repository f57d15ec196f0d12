import { readdirSync, readFileSync } from 'node:fs';

/** What Linux tells of a process in /proc. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** `Z`: ended, and nobody has asked how. */
  readonly state: string;
  /** When it began, in ticks since the machine did: with its pid it names one process and no other. */
  readonly since: string;
}

/** Undefined when there is no such process. */
export function factsOf(pid: number): ProcessFacts | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name stands in brackets and may hold anything, brackets too.
  const [state = '', parent, group, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid, parent: Number(parent), group: Number(group), state, since: rest[16] ?? '' };
}

/** A process and all that descend from it, itself first. Those that have ended are left out. */
export function treeOf(pid: number): readonly number[] {
  const all = readdirSync('/proc')
    .filter((entry) => /^[0-9]+$/.test(entry))
    .map((entry) => factsOf(Number(entry)))
    .filter((facts) => facts !== undefined)
    .filter(({ state }) => state !== 'Z');
  const found = all.some((facts) => facts.pid === pid) ? [pid] : [];
  for (const parent of found) {
    for (const facts of all) if (facts.parent === parent) found.push(facts.pid);
  }
  return found;
}

/** Is it there, and more than the memory of one that has ended? */
export function isAlive(pid: number): boolean {
  const facts = factsOf(pid);
  return facts !== undefined && facts.state !== 'Z';
}

/** Sends a signal to a process, or with a negative number to a group, that may be gone already. */
export function sendSignal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended: then there is nothing to stop, and nothing to wake.
  }
}
