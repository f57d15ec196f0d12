import Type, { type Static } from 'typebox';
import { workspaceNameLengthMax } from '../wire-limits.ts';
import {
  keyIdField,
  listOf,
  nullable,
  plainName,
  secretField,
  seqField,
  strictObject,
  workspaceIdField,
} from './fields.ts';

/* The workspace, and what the server says of itself. */

const workspaceName = Type.String({
  minLength: 1,
  maxLength: workspaceNameLengthMax,
  pattern: '^[a-z0-9][a-z0-9._-]*$',
  'x-expected': plainName,
});

export const workspaceCreate = strictObject({ name: workspaceName }, { title: 'WorkspaceCreate' });

export const workspaceCreated = strictObject(
  {
    id: workspaceIdField,
    name: workspaceName,
    management_key: strictObject(
      { id: keyIdField, secret: secretField },
      { description: 'Holds scope `*` in the new workspace. Shown once.' },
    ),
    seq: seqField,
  },
  { title: 'WorkspaceCreated' },
);

export const health = strictObject({ status: Type.Literal('ok') }, { title: 'Health' });

export const readiness = strictObject(
  {
    status: Type.Enum(['ready', 'not_ready'], { type: 'string' }),
    checks: Type.Unsafe<Record<string, 'ok' | 'failing'>>({
      type: 'object',
      additionalProperties: { type: 'string', enum: ['ok', 'failing'] },
      description: 'One entry for each thing that has to work: store, verifier, lanes.',
    }),
    lease_age_ms: Type.Optional(
      nullable<number>(
        Type.Number({
          minimum: 0,
          description: 'Of a verify-only node: the age of its lease; null: it has none.',
        }),
      ),
    ),
    quarantined_shards: Type.Optional(
      listOf(Type.Integer({ minimum: 0 }), {
        description: 'Shards of which a row can not be read. The others are served.',
      }),
    ),
    notes: Type.Optional(
      listOf(Type.String(), {
        description: 'Of a verify-only node: why it is not ready, or does less than it might.',
      }),
    ),
  },
  { title: 'Readiness' },
);

export const metricsText = Type.String({ description: 'Prometheus text exposition format.' });
export const openApiDocument = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  additionalProperties: true,
});

export type WorkspaceCreate = Static<typeof workspaceCreate>;
export type WorkspaceCreated = Static<typeof workspaceCreated>;
export type Health = Static<typeof health>;
export type Readiness = Static<typeof readiness>;
