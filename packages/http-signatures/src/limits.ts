/*
 * What a message may make this package do. All of it comes from whoever can reach a socket, before anything is known of
 * them; each bound is well over what a real client sends and small enough that the worst message costs less than the
 * signature that it pretends to carry.
 */

/** One field's whole value, all lines together, where it is read as a structured field. A real one has some 300 bytes. */
export const structuredFieldBytesMax = 4_096;
/** Signatures beside each other: ours, and those of a few proxies. */
export const labelsMax = 8;
/** Covered components of one signature. Our profile needs three. */
export const componentsMax = 32;
/** Lines of one field, and bytes of a component's value: Node takes 16 kB of head by default. */
export const fieldLinesMax = 64;
export const componentBytesMax = 16_384;
/** Pairs in a query that is searched for one parameter. */
export const queryPairsMax = 256;
