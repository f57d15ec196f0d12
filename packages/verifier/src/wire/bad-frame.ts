/**
 * What came over the wire, or out of a file, isn't what a sender of the feed writes. Whatever it was part of is to be
 * thrown away. The message names a member or a rule, never a value.
 */
export class BadFrame extends Error {
  override readonly name: string = 'BadFrame';
}

/** It is written by a program that is newer than this one, or by none. */
export class UnknownVersion extends BadFrame {
  override readonly name = 'UnknownVersion';
}
