import type { DescribedRequest } from '@keyswarm/contract';
import { Fault } from '@keyswarm/core';
import { fieldsOfPairs, readContentDigest, SignatureProblem } from '@keyswarm/http-signatures';
import { noContent, type RequestContent, type SignedRequest } from '@keyswarm/verifier';

/** A request that an access point describes, with the digest of its content as that has reckoned it. */
export function describedRequestOf(described: DescribedRequest | undefined): SignedRequest {
  const { method = '', url = '', headers = [], content_digest: digest } = described ?? {};
  return {
    method,
    url,
    fields: fieldsOfPairs(headers.map(({ name, value }) => [name, value])),
    content: contentOf(digest),
  };
}

function contentOf(digest: string | undefined): RequestContent {
  if (digest === undefined) return noContent;
  try {
    return { kind: 'digests', digests: readContentDigest(fieldsOfPairs([['content-digest', digest]])) };
  } catch (error) {
    if (!(error instanceof SignatureProblem)) throw error;
    throw new Fault('invalid_field', {
      detail: 'The digest of the content can not be read.',
      field: '/request/content_digest',
      expected: 'sha-256=:…: or sha-512=:…:, as in a Content-Digest field',
    });
  }
}
