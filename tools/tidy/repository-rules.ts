import { findKeyString, mintKeyString } from '@keyswarm/core';
import type { Finding, TidyRule } from './rules.ts';

/*
 * What may not stand in any tracked file, whatever its kind: a credential, a path of somebody's machine, the
 * host of a registry. The patterns are written so that they do not match their own source.
 */

const secretShapes: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\bAKIA[0-9A-Z]{16}\b/,
  /\bgh[pousr]_[A-Za-z0-9]{36,}\b/,
  /\bnpm_[A-Za-z0-9]{36}\b/,
  /\bxox[abpr]-[A-Za-z0-9-]{20,}/,
  /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/,
];

const linesThat = (text: string, test: (line: string) => boolean): readonly Finding[] =>
  text
    .split('\n')
    .flatMap((line, index) => (test(line) ? [{ line: index + 1, found: line.trim().slice(0, 60) }] : []));

export const repositoryRules: readonly TidyRule[] = [
  {
    name: 'no credential of a known shape',
    files: ['**'],
    find: ({ text }) => linesThat(text, (line) => secretShapes.some((shape) => shape.test(line))),
    because: 'what was pushed once is known for ever',
    breach: { path: 'docs/a.md', text: `-----BEGIN ${'RSA PRIVATE'} KEY-----` },
  },
  {
    name: 'no well-formed key string outside a test',
    files: ['**'],
    free: ['**/*.test.ts', '**/test-vectors.*'],
    find: ({ text }) =>
      linesThat(text, findKeyString).map(({ line }) => ({
        line,
        found: 'a key string with a right checksum',
      })),
    because: 'a reader can not tell an example from a credential that works somewhere',
    breach: {
      path: 'docs/a.md',
      text: `set KEYSWARM_KEY=${mintKeyString('demo', (bytes) => new Uint8Array(bytes))}`,
    },
  },
  {
    name: 'no file that keeps credentials',
    files: ['**'],
    find: ({ path }) => {
      const name = path.slice(path.lastIndexOf('/') + 1);
      const kept = /^\.env(\..*)?$|\.(pem|p12|pfx|keystore)$|^id_(rsa|ed25519|ecdsa)$|^master\.key$/;
      return kept.test(name) || path.startsWith('.keyswarm/') ? [{ line: 1, found: name }] : [];
    },
    because: 'such a file is for one machine only',
    breach: { path: 'packages/server/.env', text: '' },
  },
  {
    name: 'no path of a machine',
    files: ['**'],
    find: ({ text }) =>
      linesThat(text, (line) => /(^|[\s"'`(=:])\/(home|Users|root|work|farm)\/[\w.-]/.test(line)),
    because: 'it works for one person and tells everybody about that person',
    breach: { path: 'docs/a.md', text: ['see ', 'home', 'someone', 'keys'].join('/') },
  },
  {
    name: 'no host of a registry',
    files: ['**'],
    find: ({ text }) =>
      linesThat(text, (line) => /"resolved": *"http|registry\.(npmjs|yarnpkg)\.(org|com)/.test(line)),
    because: 'which mirror a machine uses is its own affair, and a lock file with hosts breaks elsewhere',
    breach: { path: 'package-lock.json', text: ['"resolved": "', 'https://x"'].join('') },
  },
];
