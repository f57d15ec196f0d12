import { spawnSync } from 'node:child_process';

/** Whom the server runs as: PostgreSQL refuses to run as root. */
export interface RunUser {
  readonly uid: number;
  readonly gid: number;
}

/** Undefined: as whoever runs this. For root, an unprivileged user of the machine. */
export function chooseRunUser(): RunUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const uid = idOf('-u');
  const gid = idOf('-g');
  // The ids of `nobody` where the machine has no such name; a process needs no entry in any table.
  return { uid: uid ?? 65_534, gid: gid ?? 65_534 };
}

function idOf(flag: '-u' | '-g'): number | undefined {
  const { status, stdout } = spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' });
  const id = Number.parseInt(stdout ?? '', 10);
  return status === 0 && id > 0 ? id : undefined;
}
