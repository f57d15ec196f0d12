import { defineConfig } from 'vitest/config';

/*
 * `unit` needs nothing but Node and stays under a minute; `integration` starts real servers and stores
 * (files named *.int.test.ts).
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.ts',
            'packages/harness/bench/**/*.test.ts',
            'packages/harness/chaos/**/*.test.ts',
            'packages/harness/planted/**/*.test.ts',
            'packages/harness/sim/**/*.test.ts',
            'tools/**/*.test.ts',
          ],
          exclude: ['**/*.int.test.ts', '**/node_modules/**'],
          // No test is about time. What ends one that hangs must not end one on a machine that is busy.
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['packages/**/*.int.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
