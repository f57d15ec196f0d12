/**
 * Why something failed, in one line for a log: the message of an error and of what caused it. Without a stack: a relay that
 * is silent or refuses is an everyday matter, and where in this code it was noticed helps nobody on duty.
 */
export function whyOf(error: unknown): string {
  const told: string[] = [];
  for (let at = error, depth = 0; at !== undefined && depth < causesMax; depth += 1) {
    const message = messageOf(at);
    // Some errors repeat what caused them.
    if (!told.some((before) => before.includes(message))) told.push(message);
    at = at instanceof Error ? at.cause : undefined;
  }
  return told.join(': ');
}

const causesMax = 4;

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { readonly code?: unknown };
  return error.message || (typeof code === 'string' ? code : error.name);
}
