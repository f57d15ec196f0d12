import type { BareItem } from 'structured-headers';
import { serializeParameters } from 'structured-headers';
import { type Component, identifierOf, lineValueOf } from './component.ts';
import { componentsMax } from './limits.ts';
import type { Message } from './message.ts';
import { SignatureProblem } from './signature-problem.ts';

/** In the order in which they stand, since that order is signed. */
export type SignatureParameters = ReadonlyMap<string, string | number>;

export interface SignatureInput {
  readonly components: readonly Component[];
  readonly parameters: SignatureParameters;
}

/**
 * What is signed: RFC 9421 section 2.5. One line a component, then the parameters, which hold the list of what is
 * covered, so that no component can be taken out of it or added. Throws a SignatureProblem where the message lacks one.
 */
export function buildSignatureBase(message: Message, input: SignatureInput): string {
  if (input.components.length > componentsMax)
    throw new SignatureProblem('too_large', `more than ${componentsMax} components are covered`);
  const seen = new Set<string>();
  let base = '';
  for (const covered of input.components) {
    const identifier = identifierOf(covered);
    if (seen.has(identifier))
      throw new SignatureProblem('component_twice', `${covered.name} is covered twice`);
    seen.add(identifier);
    base += `${identifier}: ${lineValueOf(message, covered)}\n`;
  }
  return `${base}"@signature-params": ${formatInput(input)}`;
}

/** The value of `@signature-params`, and of a member of `Signature-Input`. */
export function formatInput({ components, parameters }: SignatureInput): string {
  return `(${components.map(identifierOf).join(' ')})${serializeParameters(new Map<string, BareItem>(parameters))}`;
}
