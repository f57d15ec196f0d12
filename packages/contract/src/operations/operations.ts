import type { Static, TSchema } from 'typebox';
import { health, metricsText, openApiDocument, readiness } from '../schemas/service.ts';
import { approvalOperations } from './approval-operations.ts';
import { campaignOperations } from './campaign-operations.ts';
import { deliveryOperations } from './delivery-operations.ts';
import { feedOperations } from './feed-operations.ts';
import { holderOperations } from './holder-operations.ts';
import { houseOperations } from './house-operations.ts';
import { keyOperations } from './key-operations.ts';
import { liveOperations } from './live-operations.ts';
import { operation } from './operation.ts';
import { type OperationId, routes } from './routes.ts';
import { signingKeyOperations } from './signing-key-operations.ts';

/*
 * The table of operations: the contract. A row is looked up by its `operationId`; the server registers every
 * row as a route, the SDK calls them, `buildOpenApi` writes them down.
 */
export const operations = Object.freeze({
  ...houseOperations,
  ...keyOperations,
  ...campaignOperations,
  ...approvalOperations,
  ...holderOperations,
  ...signingKeyOperations,
  ...feedOperations,
  ...liveOperations,
  ...deliveryOperations,
  healthz: operation(routes.healthz, {
    summary: 'Is the process alive?',
    description: 'Answers as long as the event loop turns.',
    scope: null,
    perKeyspace: false,
    reply: health,
    faults: [],
  }),
  readyz: operation(routes.readyz, {
    summary: 'May traffic be sent here?',
    description: '200 when it may, 503 with the same body when it may not.',
    scope: null,
    perKeyspace: false,
    reply: readiness,
    faults: [],
  }),
  metrics: operation(routes.metrics, {
    summary: 'Metrics',
    description: 'For Prometheus. Labels come from closed sets.',
    scope: null,
    perKeyspace: false,
    reply: metricsText,
    replyType: 'text/plain; version=0.0.4; charset=utf-8',
    faults: [],
  }),
  openapi: operation(routes.openapi, {
    summary: 'This document',
    description: 'OpenAPI 3.1.',
    scope: null,
    perKeyspace: false,
    reply: openApiDocument,
    faults: [],
  }),
});

export type Operations = typeof operations;

type StaticOf<S> = S extends TSchema ? Static<S> : undefined;

/** Path parameters, query, body and reply of an operation as a program sees them. */
export type ParamsOf<Id extends OperationId> = StaticOf<Operations[Id]['params']>;
export type QueryOf<Id extends OperationId> = StaticOf<Operations[Id]['query']>;
export type BodyOf<Id extends OperationId> = StaticOf<Operations[Id]['body']>;
export type ReplyOf<Id extends OperationId> = StaticOf<Operations[Id]['response']['schema']>;

/** Every id, in the order of the table. */
export const operationIds = Object.freeze(Object.keys(routes)) as readonly OperationId[];
