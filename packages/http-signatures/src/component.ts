import {
  type BareItem,
  type InnerList,
  type Item,
  parseDictionary,
  serializeInnerList,
  serializeItem,
} from 'structured-headers';
import { derivedValue, isDerivedName } from './derived.ts';
import { componentBytesMax, structuredFieldBytesMax } from './limits.ts';
import { combinedValue, isResponse, type Message, trimmedLine } from './message.ts';
import { SignatureProblem } from './signature-problem.ts';

/** A covered component: the name of a field in lower case, or of a derived one with its `@`, and its parameters. */
export interface Component {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string | true>;
}

const noParameters: ReadonlyMap<string, string | true> = new Map();
const fieldName = /^[a-z0-9!#$%&'*+\-.^_`|~]+$/;
/** RFC 9421 section 2.1. `sf` needs to know the type of every field there is, and `tr` trailers: both are refused. */
const knownParameters: ReadonlySet<string> = new Set(['name', 'key', 'bs', 'req']);

export function component(name: string, parameters: Readonly<Record<string, string | true>> = {}): Component {
  const entries = Object.entries(parameters);
  return { name, parameters: entries.length === 0 ? noParameters : new Map(entries) };
}

/** From an item of the list of covered components; throws for anything that is not known here. */
export function componentOfItem([name, given]: Item): Component {
  if (typeof name !== 'string') throw new SignatureProblem('malformed', 'a component is not a string');
  if (!isDerivedName(name) && !fieldName.test(name))
    throw new SignatureProblem('component_unknown', 'a component is neither a field nor derived');
  const parameters = new Map<string, string | true>();
  for (const [key, value] of given) {
    if (!knownParameters.has(key)) throw unknown(name, key);
    parameters.set(key, checkedParameter(name, key, value));
  }
  return { name, parameters: parameters.size === 0 ? noParameters : parameters };
}

function checkedParameter(name: string, key: string, value: BareItem): string | true {
  const wantsText = key === 'name' || key === 'key';
  const fits = wantsText ? typeof value === 'string' : value === true;
  const belongs = key === 'name' ? name === '@query-param' : key === 'req' || !name.startsWith('@');
  if (!fits || !belongs) throw unknown(name, key);
  return wantsText ? String(value) : true;
}

/** The identifier as it stands in the signature base: `"@query-param";name="Pet"`. */
export function identifierOf({ name, parameters }: Component): string {
  if (parameters.size === 0) return `"${name}"`;
  return serializeItem([name, new Map<string, BareItem>(parameters)]);
}

/** The value that the base has for a component. It never holds a line break, so a line is a component. */
export function lineValueOf(message: Message, { name, parameters }: Component): string {
  const source = parameters.has('req') ? requestOf(message, name) : message;
  const value = name.startsWith('@')
    ? derivedValue(source, name, parameters)
    : fieldValue(source, name, parameters);
  if (value.length > componentBytesMax) throw new SignatureProblem('too_large', `${name} is too long`);
  if (!isPrintable(value)) throw new SignatureProblem('component_value', `${name} is not plain ASCII`);
  return value;
}

function requestOf(message: Message, name: string): Message {
  if (!isResponse(message) || message.request === undefined)
    throw new SignatureProblem('component_missing', `${name};req, and there is no request`);
  return message.request;
}

function fieldValue(message: Message, name: string, parameters: Component['parameters']): string {
  const key = parameters.get('key');
  if (parameters.has('bs')) {
    if (key !== undefined) throw unknown(name, 'key');
    return wrappedLines(message, name);
  }
  const value = combinedValue(message.fields, name);
  if (value === undefined) throw new SignatureProblem('component_missing', `${name} is not there`);
  return typeof key === 'string' ? memberOf(value, name, key) : value;
}

/** RFC 9421 section 2.1.3: each line as a byte sequence, so that a line with a comma can't pass for two. */
function wrappedLines({ fields }: Message, name: string): string {
  const lines = fields(name);
  if (lines.length === 0) throw new SignatureProblem('component_missing', `${name} is not there`);
  return lines
    .map((line) => {
      const bytes = Uint8Array.from(trimmedLine(line), (character) => character.charCodeAt(0) & 0xff);
      return serializeItem([bytes, new Map()]);
    })
    .join(', ');
}

/** RFC 9421 section 2.1.2: one member of a dictionary, in its canonical form. */
function memberOf(value: string, name: string, key: string): string {
  if (value.length > structuredFieldBytesMax) throw new SignatureProblem('too_large', `${name} is too long`);
  let member: Item | InnerList | undefined;
  try {
    member = parseDictionary(value).get(key);
  } catch {
    throw new SignatureProblem('component_value', `${name} is not a dictionary`);
  }
  if (member === undefined) throw new SignatureProblem('component_missing', `${name} lacks a member`);
  return isInnerList(member) ? serializeInnerList(member) : serializeItem(member);
}

function isInnerList(member: Item | InnerList): member is InnerList {
  return Array.isArray(member[0]);
}

function isPrintable(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (code > 0x7e || (code < 0x20 && code !== 0x09)) return false;
  }
  return true;
}

function unknown(name: string, key: string): SignatureProblem {
  return new SignatureProblem(
    'component_unknown',
    `${name} has a parameter that is not known (${key.slice(0, 16)})`,
  );
}
