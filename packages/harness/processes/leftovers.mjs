/*
 * Outlives whoever started it by a moment, as the watchdogs of ../postgres and ../nats do. Its standard input is a pipe
 * that closes when the starter is gone, however it went. What the starter made is told on that pipe, one thing a line:
 *
 *   {"op":"add","kind":"group","of":"4711","since":"123456"}     {"op":"gone","kind":"group","of":"4711"}
 *
 * When the pipe closes, whatever was added and is not gone is ended or removed, the last thing first. Told `done`
 * before that, it leaves without touching anything.
 *
 * Plain JavaScript, so that any Node can run it.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const things = new Map();
let rest = '';
let isDone = false;
let cleaning = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.stdin.setEncoding('utf8');
process.stdin.on('data', take);
process.stdin.on('error', clean);
process.stdin.on('end', clean);

function take(text) {
  const lines = (rest + text).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    const told = JSON.parse(line);
    if (told.op === 'done') isDone = true;
    else if (told.op === 'add') things.set(`${told.kind} ${told.of}`, told);
    else things.delete(`${told.kind} ${told.of}`);
  }
}

const undo = {
  /** A postmaster first takes its children along, so that no shared memory is left behind. */
  postmaster: async (pid, since) => {
    for (let round = 0; round < 60 && startOf(pid) === since; round += 1) {
      send(pid, 'SIGCONT');
      send(pid, round < 40 ? 'SIGQUIT' : 'SIGKILL');
      await sleep(50);
    }
  },
  group: (pid, since) => {
    // The leader may be gone while its children are there; then a group of this number can only be theirs.
    if (startOf(pid) === since || (startOf(pid) === undefined && isGroup(pid))) send(`-${pid}`, 'SIGKILL');
  },
  mount: (path) => void spawnSync('umount', ['-l', path], { stdio: 'ignore' }),
  namespace: (name) => void spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' }),
  folder: (path) => rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }),
};

async function clean() {
  if (cleaning || isDone) return;
  cleaning = true;
  for (const { kind, of, since } of [...things.values()].reverse()) {
    try {
      await undo[kind](of, since);
    } catch {
      // The next one all the same.
    }
  }
}

/** When a process began, in ticks since the machine did: with its number it names one process and no other. */
function startOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function isGroup(pgid) {
  return readdirSync('/proc').some((entry) => {
    if (!/^[0-9]+$/.test(entry)) return false;
    try {
      const text = readFileSync(`/proc/${entry}/stat`, 'utf8');
      return text.slice(text.lastIndexOf(')') + 2).split(' ')[2] === pgid;
    } catch {
      return false;
    }
  });
}

function send(pid, name) {
  try {
    process.kill(Number(pid), name);
  } catch {
    // It has ended by itself.
  }
}
