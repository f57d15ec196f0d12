import { InputError } from '../input-error.ts';

/** A flag without a value is `true`. */
export type ServerFlags = Readonly<Record<string, string | boolean>>;

/** Flags that may be given more than once; what they hold is joined by commas, as their variables have it. */
const repeatable: ReadonlySet<string> = new Set(['relay', 'keyspace']);

/**
 * The server's flags, whatever they are called: their names and bounds are known to its settings, which refuse
 * what they don't know. So there is one list of settings, and this is not a second one.
 */
export function parseServerFlags(args: readonly string[]): ServerFlags {
  const flags: Record<string, string | boolean> = {};
  for (let at = 0; at < args.length; at += 1) {
    const [, name, value] = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(args[at] ?? '') ?? [];
    if (name === undefined) throw notASetting(args[at] ?? '');
    const next = args[at + 1];
    const before = repeatable.has(name) && typeof flags[name] === 'string' ? `${flags[name]},` : '';
    if (value !== undefined) flags[name] = before + value;
    else if (next !== undefined && !next.startsWith('--')) {
      flags[name] = before + next;
      at += 1;
    } else flags[name] = true;
  }
  return flags;
}

/** A value alone is mostly what npm leaves of `npm start --port 7072`: without `--` it takes the option for its own. */
function notASetting(text: string): InputError {
  const isValue = !text.startsWith('-');
  const hint = isValue ? '; with npm, put -- first: npm start -- --port 7072' : '';
  const detail = `${JSON.stringify(text)} is not a setting${isValue ? ': no option stands before it' : ''}`;
  return new InputError(
    '[--setting value...]',
    detail,
    `--name value, as \`keyswarm config explain\` lists them${hint}`,
  );
}
