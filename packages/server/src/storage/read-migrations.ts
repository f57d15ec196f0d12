import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MigrationRefused } from './migration-refused.ts';

export interface Migration {
  /** 1, 2, 3 … without a hole. */
  readonly version: number;
  /** The file's name. */
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the text, hexadecimal. */
  readonly checksum: string;
}

/** The server's own migrations. */
export const migrationsDir = fileURLToPath(new URL('./migrations/', import.meta.url));

const shape = /^(\d{4})_[a-z0-9_-]+\.sql$/;

/** In order. Files that aren't SQL are passed over; an SQL file whose name doesn't fit is refused. */
export function readMigrations(dir: string): readonly Migration[] {
  const names = readdirSync(dir)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  return names.map((name, index) => {
    const version = Number(shape.exec(name)?.[1]);
    if (version !== index + 1) {
      throw new MigrationRefused(
        `${name}: migrations are numbered 0001_name.sql, 0002_name.sql … without a hole`,
      );
    }
    // A checkout on Windows may have other line ends; they must not look like another migration.
    const text = readFileSync(join(dir, name), 'utf8').replaceAll('\r\n', '\n');
    return { version, name, text, checksum: createHash('sha256').update(text).digest('hex') };
  });
}
