import { hostname } from 'node:os';

/** What this machine calls itself: for people who look at a list of processes. */
export function hostName(): string {
  return hostname().slice(0, 128);
}
