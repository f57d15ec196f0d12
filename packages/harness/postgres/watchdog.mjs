/*
 * Outlives whoever started it by a moment. Its standard input is a pipe whose other end only the starter holds,
 * so the pipe closes when the starter is gone, however it went (SIGKILL included): then the postmaster is stopped
 * and its folder removed. Told `done` before that, it leaves without touching anything.
 *
 * Plain JavaScript, so that any Node can run it. Its argument is the folder of the server.
 */
import { existsSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

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

async function clean() {
  if (cleaning || told.includes('done')) return;
  cleaning = true;
  // An immediate shutdown first: the postmaster takes its children along, and they leave no shared memory behind.
  for (let round = 0; round < 200; round += 1) {
    const pid = readPostmaster();
    if (pid === undefined) break;
    signal(pid, round < 100 ? 'SIGQUIT' : 'SIGKILL');
    await sleep(50);
  }
  rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

/** The pid in the server's own file, as long as that process is there and runs out of this very folder. */
function readPostmaster() {
  const path = join(root, 'data', 'postmaster.pid');
  if (!existsSync(path)) return undefined;
  const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
  return pid > 1 && signal(pid, 0) && runsHere(pid) ? pid : undefined;
}

/** Where the system tells (Linux); elsewhere the file is believed. */
function runsHere(pid) {
  if (!existsSync('/proc/self/exe')) return true;
  try {
    return readlinkSync(`/proc/${pid}/exe`).startsWith(root);
  } catch {
    return false;
  }
}

function signal(pid, name) {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
