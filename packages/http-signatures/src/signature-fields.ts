import {
  type BareItem,
  type Dictionary,
  parseDictionary,
  serializeByteSequence,
  serializeDictionary,
} from 'structured-headers';
import { componentOfItem } from './component.ts';
import { componentsMax, labelsMax, structuredFieldBytesMax } from './limits.ts';
import { combinedValue, type FieldLines } from './message.ts';
import { formatInput, type SignatureInput } from './signature-base.ts';
import { SignatureProblem } from './signature-problem.ts';

/* `Signature-Input` and `Signature`: RFC 9421 section 4. */

/** One signature as it came, with what it says of itself. Nothing of it has been checked against the message. */
export interface PresentedSignature extends SignatureInput {
  readonly label: string;
  readonly signature: Uint8Array;
}

/**
 * All signatures of a message. Their fields have to be in the canonical form of RFC 9651, in which every library writes
 * them: a field in which a label or a parameter stands twice (where the later one would count, for some readers) is not,
 * and so is refused by one comparison instead of by a second parser.
 */
export function readSignatures(fields: FieldLines): readonly PresentedSignature[] {
  const inputs = readDictionary(fields, 'signature-input');
  const signatures = readDictionary(fields, 'signature');
  if (inputs.size > labelsMax || signatures.size > labelsMax)
    throw new SignatureProblem('too_large', `more than ${labelsMax} signatures`);
  const presented: PresentedSignature[] = [];
  for (const [label, input] of inputs) {
    const [bytes] = signatures.get(label) ?? [];
    if (!(bytes instanceof ArrayBuffer)) throw new SignatureProblem('malformed', 'an input has no signature');
    const [components, parameters] = input;
    if (!Array.isArray(components)) throw new SignatureProblem('malformed', 'an input is no list');
    if (components.length > componentsMax)
      throw new SignatureProblem('too_large', `more than ${componentsMax} components are covered`);
    presented.push({
      label,
      components: components.map(componentOfItem),
      parameters: readParameters(parameters),
      signature: new Uint8Array(bytes),
    });
  }
  return presented;
}

/** The two fields of one signature, to be set on a message (or appended, where a proxy adds its own). */
export function formatSignature(
  label: string,
  input: SignatureInput,
  signature: Uint8Array,
): { readonly 'signature-input': string; readonly signature: string } {
  return {
    'signature-input': `${label}=${formatInput(input)}`,
    signature: `${label}=${serializeByteSequence(Uint8Array.from(signature))}`,
  };
}

function readDictionary(fields: FieldLines, name: string): Dictionary {
  const value = combinedValue(fields, name);
  if (value === undefined) throw new SignatureProblem('absent', `there is no ${name}`);
  if (value.length > structuredFieldBytesMax)
    throw new SignatureProblem('too_large', `${name} is longer than ${structuredFieldBytesMax} bytes`);
  let parsed: Dictionary;
  let canonical: string;
  try {
    parsed = parseDictionary(value);
    canonical = serializeDictionary(parsed);
  } catch {
    throw new SignatureProblem('malformed', `${name} is not a dictionary`);
  }
  if (canonical !== value) throw new SignatureProblem('ambiguous', `${name} is not in canonical form`);
  return parsed;
}

/** Strings and whole numbers, which all that RFC 9421 section 2.3 defines are; what else there is stays signed, unread. */
function readParameters(given: ReadonlyMap<string, BareItem>): ReadonlyMap<string, string | number> {
  const parameters = new Map<string, string | number>();
  for (const [name, value] of given) {
    if (typeof value !== 'string' && !(typeof value === 'number' && Number.isInteger(value)))
      throw new SignatureProblem('parameter_value', 'a parameter is neither a string nor a whole number');
    parameters.set(name, value);
  }
  return parameters;
}
