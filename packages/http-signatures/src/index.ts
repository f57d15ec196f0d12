/*
 * HTTP message signatures (RFC 9421) and content digests (RFC 9530): what is signed, how it is written and how it is read.
 * No I/O, no clock, no chance and no cryptography, so that clients, verifiers and servers share one reading of a message.
 */

export { type Component, component } from './component.ts';
export {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithms,
  formatContentDigest,
  readContentDigest,
} from './content-digest.ts';
export {
  type FieldLines,
  fieldsOfHeaders,
  fieldsOfPairs,
  fieldsOfRawHeaders,
  type Message,
  type RequestMessage,
  type ResponseMessage,
} from './message.ts';
export {
  claimsContent,
  isRefused,
  isSigned,
  type ReadSignature,
  type RefusedSignature,
  readSignature,
  type SignatureProfile,
} from './read-signature.ts';
export {
  buildSignatureBase,
  formatInput,
  type SignatureInput,
  type SignatureParameters,
} from './signature-base.ts';
export { formatSignature, type PresentedSignature, readSignatures } from './signature-fields.ts';
export { type ProblemReason, problemReasons, SignatureProblem } from './signature-problem.ts';
