/*
 * Outlives whoever started it by a moment, as the one of ../postgres does: its standard input is a pipe that closes
 * when the starter is gone, however it went. Then every server whose pid file lies below the folder is ended, and
 * the folder removed. Told `done` before that, it leaves without touching anything.
 *
 * Plain JavaScript, so that any Node can run it. Its argument is the folder of the cluster.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = process.argv[2];
let told = '';
let cleaning = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text) => {
  told += text;
});
process.stdin.on('error', clean);
process.stdin.on('end', clean);

function clean() {
  if (cleaning || told.includes('done')) return;
  cleaning = true;
  for (const name of existsSync(root) ? readdirSync(root) : []) {
    const pid = pidBelow(join(root, name, 'pid'));
    if (pid !== undefined) end(pid);
  }
  rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

/** The pid in a server's own file, as long as that process was started with settings out of this very folder. */
function pidBelow(path) {
  if (!existsSync(path)) return undefined;
  const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
  return pid > 1 && runsHere(pid) ? pid : undefined;
}

/** Where the system tells (Linux); elsewhere the file is believed. */
function runsHere(pid) {
  if (!existsSync('/proc/self/cmdline')) return true;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(root);
  } catch {
    return false;
  }
}

function end(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
