import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';

/*
 * Where the command speaks. Results go to stdout and nothing else does, so that a pipe gets data only;
 * everything told to a person goes to stderr.
 */

export type Tone = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

export interface Terminal {
  /** Writes a line to stdout, and waits while the reader is slower. Rejects with `PipeClosed` once it has gone. */
  print(line: string): Promise<void>;
  /** Writes a line to stderr. Silent under `--quiet`. */
  say(line: string): void;
  /** Writes a line to stderr whatever `--quiet` says: an error or a warning. */
  warn(line: string): void;
  /** Rewrites the current line of stderr; does nothing when nobody watches. */
  rewrite(line: string): void;
  tone(tone: Tone, text: string): string;
  readonly watched: boolean;
}

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };
export type Input = Readable & { readonly isTTY?: boolean };

/** The reader of stdout went away (`| head`). Not an error to tell anybody: there is nobody to tell. */
export class PipeClosed extends Error {
  override readonly name = 'PipeClosed';
}

export interface TerminalOptions {
  readonly quiet: boolean;
  readonly colour: boolean;
  readonly stdout: Output;
  readonly stderr: Output;
}

export function openTerminal({ quiet, colour, stdout, stderr }: TerminalOptions): Terminal {
  let closed = false;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    closed = true;
  });
  stderr.on('error', () => {});
  const watched = stderr.isTTY === true && !quiet;
  let rewriting = false;
  const endRewriting = () => {
    if (rewriting) stderr.write('\r\u001b[K');
    rewriting = false;
  };
  return {
    watched,
    async print(line) {
      if (closed) throw new PipeClosed();
      endRewriting();
      if (stdout.write(`${line}\n`)) return;
      // `once` rejects on 'error', which here means that the reader has gone.
      await once(stdout, 'drain').catch(() => {
        throw new PipeClosed();
      });
    },
    say(line) {
      if (quiet) return;
      endRewriting();
      stderr.write(`${line}\n`);
    },
    warn(line) {
      endRewriting();
      stderr.write(`${line}\n`);
    },
    rewrite(line) {
      if (!watched) return;
      const columns = stderr.columns ?? 80;
      stderr.write(`\r\u001b[K${line.slice(0, columns - 1)}`);
      rewriting = true;
    },
    tone: (tone, text) => (colour ? styleText(tone, text, { validateStream: false }) : text),
  };
}
