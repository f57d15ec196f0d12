import fc from 'fast-check';
import { describe, it } from 'vitest';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { keyCommands, type Real } from './key-commands.arbitrary.ts';
import { newModel } from './key-model.arbitrary.ts';
import { keyspaceWith, ownerWith, t0 } from './records.arbitrary.ts';

describe('the lifecycle of a key', () => {
  it('agrees with a model of it through any history, and keeps its invariants after every step', () => {
    const histories = fc.commands([...keyCommands], { maxCommands: 40, size: 'max' });
    const limits = fc.constantFrom(null, 3600, 7200);
    checkProperty(
      fc.property(histories, limits, (commands, maxTtlSeconds) => {
        const maxGraceSeconds = 3600;
        const setup = () => ({
          model: newModel({
            nowMs: t0,
            maxTtlMs: maxTtlSeconds === null ? Number.POSITIVE_INFINITY : maxTtlSeconds * 1000,
            maxGraceMs: maxGraceSeconds * 1000,
          }),
          real: {
            key: undefined,
            owner: ownerWith(),
            keyspace: keyspaceWith({ maxTtlSeconds, maxGraceSeconds }),
          } as Real,
        });
        fc.modelRun(setup, commands);
      }),
      process.env,
      1000,
    );
  });
});
