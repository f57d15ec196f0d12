import { InputError } from '../input-error.ts';

export const ownerKinds = ['service', 'integration', 'user'] as const;
export type OwnerKindName = (typeof ownerKinds)[number];

export interface OwnerName {
  readonly kind: OwnerKindName;
  readonly external_id: string;
}

/** Reads `service:billing`. The external id is everything after the first colon, so it may hold colons. */
export function parseOwnerName(text: string, field: string): OwnerName {
  const colon = text.indexOf(':');
  const kind = ownerKinds.find((each) => each === text.slice(0, colon));
  const externalId = text.slice(colon + 1);
  if (colon === -1 || kind === undefined || externalId === '') {
    const expected = 'kind:external-id, where kind is service, integration or user, such as service:billing';
    throw new InputError(field, `${JSON.stringify(text)} does not name an owner`, expected);
  }
  return { kind, external_id: externalId };
}
