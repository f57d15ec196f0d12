/* The command as a function: for tests, and for whoever wants it inside another program. */
export type { Surroundings } from './context.ts';
export { buildProgram, run } from './run.ts';
