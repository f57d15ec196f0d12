import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { ConsoleFile, ConsoleFiles } from '../http/console-routes.ts';
import { consoleFileBytesMax } from '../limits.ts';

const built = fileURLToPath(new URL('../../../console/dist/', import.meta.url));

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The page as `npm run console` has built it, compressed once; undefined where it has not been. */
export function readConsole(folder: string = built): ConsoleFiles {
  const paths = listed(folder);
  if (paths?.includes('index.html') !== true) return undefined;
  const files = new Map<string, ConsoleFile>();
  for (const path of paths) {
    const type = types[path.slice(path.lastIndexOf('.') + 1)];
    if (type === undefined) continue;
    files.set(path === 'index.html' ? '/' : `/${path}`, fileOf(`${folder}/${path}`, type));
  }
  return files;
}

function fileOf(path: string, type: string): ConsoleFile {
  const { size } = statSync(path);
  if (size > consoleFileBytesMax) throw new Error(`${path} is longer than a file of the console may be`);
  const bytes = readFileSync(path);
  const gzip = gzipSync(bytes, { level: 9 });
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { type, etag, bytes, gzip: gzip.length < bytes.length ? gzip : undefined };
}

/** The files under a folder, by their paths in it. */
function listed(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => statSync(`${folder}/${path}`).isFile());
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
