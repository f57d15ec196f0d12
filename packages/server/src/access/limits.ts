/* Bounds of what a refusal looks for. */

/** Names of keyspaces among which one that was mistyped is looked for: one page, read when a name is not found. */
export const namesLookedThroughMax = 200;

/** What is offered in place of a mistyped name, and how many letters it may be off: more is another name. */
export const nearNamesMax = 3;
export const nearNameEditsMax = 2;
