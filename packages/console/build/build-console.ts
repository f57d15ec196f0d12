import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/*
 * Builds the page into `packages/console/dist`. With `--if-stale` only where it is missing or older than what it is
 * made of, so that `npm start` on a fresh clone shows it and every later start costs some milliseconds.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const packages = fileURLToPath(new URL('../..', import.meta.url));
const index = `${root}dist/index.html`;

/** What the bundle is made of. */
const sources = [
  `${root}index.html`,
  `${root}package.json`,
  `${root}public`,
  `${root}src`,
  `${root}build`,
  ...['sdk/src', 'core/src', 'contract/src/operations'].map((path) => packages + path),
];

if (!process.argv.includes('--if-stale') || isStale()) await buildConsole();

function isStale(): boolean {
  if (!existsSync(index)) return true;
  const builtAtMs = statSync(index).mtimeMs;
  return sources.some((source) => newestMs(source) > builtAtMs);
}

function newestMs(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newestMs(`${path}/${name}`)));
}

async function buildConsole(): Promise<void> {
  const startedMs = performance.now();
  process.stderr.write('keyswarm: building the console …\n');
  // Loaded here: a start that has nothing to build does not load a bundler.
  const { build } = await import('vite');
  await build({
    root,
    configFile: false,
    // Beside whatever it is served under, without knowing what that is.
    base: './',
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: 'dist',
      emptyOutDir: true,
      target: 'es2022',
      // The policy of the page allows nothing inline.
      assetsInlineLimit: 0,
      modulePreload: false,
      cssCodeSplit: false,
      reportCompressedSize: false,
    },
  });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stderr.write(`keyswarm: the console was built in ${seconds} s\n`);
}
