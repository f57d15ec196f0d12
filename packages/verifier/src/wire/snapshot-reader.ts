import type { FeedView, Heads, SnapshotEnd, SnapshotSink } from '../feed/feed-source.ts';
import { feedViewLengthMax, snapshotIdentityLengthMax } from '../limits.ts';
import { BadFrame, UnknownVersion } from './bad-frame.ts';
import { FactsDecoder } from './decode-facts.ts';
import { type Frame, frameTypes, wholeStretchOfFrame } from './frames.ts';
import { PayloadFields } from './json-payload.ts';
import { StretchChain } from './stretch-chain.ts';

/** What the hello of a snapshot says. */
export interface SnapshotHello {
  readonly heads: Heads;
  readonly identity: string | undefined;
}

const versionKnown = 1;
const problemCodeLengthMax = 64;
const problemDetailLengthMax = 1_024;

/**
 * The order of a snapshot: `hello → facts … → stretch … → end`, and nothing after. Throws `BadFrame` or `BadFeedRow`
 * at the first frame that isn't the next of one.
 */
export class SnapshotReader {
  readonly #sink: SnapshotSink;
  readonly #facts: FactsDecoder;
  readonly #onHello: ((hello: SnapshotHello) => void) | undefined;
  #chain: StretchChain | undefined;
  #inTail = false;
  #view: FeedView;
  #end: SnapshotEnd | undefined;

  /** `onHello` is told before any fact, and may throw. */
  constructor(sink: SnapshotSink, onHello?: (hello: SnapshotHello) => void) {
    this.#sink = sink;
    this.#facts = new FactsDecoder(sink);
    this.#onHello = onHello;
  }

  take({ type, payload }: Frame): void {
    if (this.#end !== undefined) throw new BadFrame('something follows the end of a snapshot');
    if (type === frameTypes.problem) throw problemIn(payload);
    if (this.#chain === undefined) {
      if (type !== frameTypes.hello) throw new BadFrame('a snapshot begins with a hello');
      this.#chain = this.#begin(payload);
    } else if (type === frameTypes.facts && !this.#inTail) this.#facts.read(payload);
    else if (type === frameTypes.stretch) this.#readTail(this.#chain, payload);
    else if (type === frameTypes.end) this.#end = this.#readEnd(this.#chain, payload);
    else throw new BadFrame('a frame that does not belong here in a snapshot');
  }

  /** Nothing more comes. Throws `BadFrame` unless all of it came. */
  end(): SnapshotEnd {
    if (this.#end === undefined) throw new BadFrame('a snapshot was cut off before its end');
    return this.#end;
  }

  #begin(payload: Uint8Array): StretchChain {
    const fields = new PayloadFields('hello', payload);
    // Before anything else of it: another version has other members.
    if (fields.whole('v') !== versionKnown)
      throw new UnknownVersion('hello.v is not a version that is known here');
    fields.only(['v', 'epoch', 'seqs', 'age_ms'], ['identity', 'view']);
    const heads = fields.heads();
    fields.ageMs('age_ms');
    this.#view = fields.text('view', feedViewLengthMax);
    this.#onHello?.({ heads, identity: fields.text('identity', snapshotIdentityLengthMax) });
    return new StretchChain(heads);
  }

  #readTail(chain: StretchChain, payload: Uint8Array): void {
    this.#inTail = true;
    const stretch = wholeStretchOfFrame(payload);
    if (!chain.take(stretch)) throw new BadFrame('a stretch does not go on where the one before it ended');
    this.#sink.stretch(stretch);
  }

  #readEnd(chain: StretchChain, payload: Uint8Array): SnapshotEnd {
    const { keys, owners, keyspaces, signingKeys: signing_keys } = this.#facts.counts;
    const names = ['epoch', 'seqs', 'age_ms', 'keys', 'owners', 'keyspaces'];
    const fields = new PayloadFields('end', payload).only(names, ['signing_keys']);
    const heads = fields.heads();
    if (!chain.standsAt(heads)) throw new BadFrame('the stretches do not lead to the heads of the end');
    const counted = { keys, owners, keyspaces, signing_keys };
    for (const [name, count] of Object.entries(counted)) {
      const told = name === 'signing_keys' && !fields.has(name) ? 0 : fields.whole(name);
      if (told !== count) throw new BadFrame(`end.${name} is not what came`);
    }
    return { ...heads, ageMs: fields.ageMs('age_ms'), view: this.#view };
  }
}

function problemIn(payload: Uint8Array): BadFrame {
  const fields = new PayloadFields('problem', payload).only(['code'], ['detail']);
  const code = fields.text('code', problemCodeLengthMax) ?? '';
  fields.text('detail', problemDetailLengthMax);
  // A code is one of the registry's words; what else may stand there is not passed on into logs.
  return new BadFrame(`the sender gave up${/^[a-z_]+$/.test(code) ? `: ${code}` : ''}`);
}
