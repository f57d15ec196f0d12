import { type FoundProgram, findProgram } from '@keyswarm/harness/find-program';
import { type Browser, chromium } from 'playwright-core';

/** The system's Chromium; where this is root's Debian it is installed. Under CI a missing one is a failure. */
export function findChromium(leftOut: string): FoundProgram {
  return findProgram({ name: 'chromium', debianPackage: 'chromium', leftOut });
}

/** Quiet: nothing but what a page asks for leaves the machine. */
export function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      // Root has no sandbox to give; whoever is not root keeps it.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
