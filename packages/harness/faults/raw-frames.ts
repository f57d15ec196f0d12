/*
 * The frames of the feed as bytes, for whoever passes them on and reads none:
 *
 *   u32 length of the payload | u8 type | u32 CRC-32 | payload          (packages/verifier/src/wire/frames.ts)
 */

const headBytes = 9;

export function frameTypeOf(frame: Buffer): number {
  return frame.readUInt8(4);
}

/** Gives the whole frames, head and payload, that each chunk completes. */
export function splitFrames(): (chunk: Buffer) => readonly Buffer[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: Buffer[] = [];
    while (rest.length >= headBytes) {
      const length = headBytes + rest.readUInt32BE(0);
      if (rest.length < length) break;
      frames.push(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    return frames;
  };
}
