import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { fieldAsTyped } from './field-as-typed.ts';
import { buildProgram } from './run.ts';

const program = buildProgram(() => async () => {});
const commandOf = (...names: readonly string[]): Command =>
  names.reduce((command, name) => {
    const found = command.commands.find((one) => one.name() === name);
    if (found === undefined) throw new Error(`there is no command ${name}`);
    return found;
  }, program);

describe('a field of the API is told as what was typed', () => {
  it.each([
    ['key issue', '/ttl_seconds', '--ttl'],
    ['key issue', '/scopes/0', '--scope'],
    ['key issue', '/keys/3/scopes/0', '--scope'],
    ['key issue', '/owner/external_id', '--owner'],
    ['key issue', '/keyspace', '--keyspace'],
    ['key issue', '/metadata/team', '--metadata'],
    ['key show', 'id', '<id>'],
    ['key rotate', '/grace_seconds', '--grace'],
    ['keyspace create', '/name', '<name>'],
    ['keyspace create', '/allowed_scopes/1', '--scope'],
    ['keyspace create', '/approval/scopes/0', '--approval-scope'],
    ['keyspace create', '/lease_seconds', '--lease'],
    ['keyspace create', '/default_ttl_seconds', '--default-ttl'],
    ['keyspace show', 'id', '<keyspace>'],
    ['enrollment create', '/key_ttl_seconds', '--key-ttl'],
    ['enrollment create', '/owner_rule/kinds/0', '--owner-kind'],
    ['enrollment create', '/owner_rule/external_id_prefix', '--owner-prefix'],
    ['campaign start', '/selector/issued_before', '--issued-before'],
    ['campaign start', '/pace/keys_per_second', '--pace'],
    ['campaign start', '/pace/verify_p99_ms', '--verify-p99'],
    ['campaign start', '/canary/hold_seconds', '--hold'],
  ])('%s %s: %s', (path, field, typed) => {
    expect(fieldAsTyped(field, commandOf(...path.split(' ')))).toBe(typed);
  });

  it('and stays a field where nothing was typed for it', () => {
    expect(fieldAsTyped('/if_revision', commandOf('key', 'issue'))).toBeUndefined();
  });
});
