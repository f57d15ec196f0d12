import { assert, type KeyId } from '@keyswarm/core';
import { describe, expect, test } from 'vitest';
import { crowdOfMutationsMin, writeWaitMsMax } from '../limits.ts';
import { Admission, type Place } from './admission.ts';

const caller = 'key_one' as KeyId;
const other = 'key_other' as KeyId;

function open() {
  const shed: string[] = [];
  const limits = {
    requestsInFlightMax: 100,
    verificationsInFlightMax: 100,
    mutationsInFlightMax: 100,
    callerInFlightMax: 10,
    bodyBytesInFlightMax: 1_000,
  };
  const admission = new Admission(limits, { shed: (reason) => void shed.push(reason) });
  const enter = (bodyBytes: number): Place => {
    const place = admission.enter('mutations', bodyBytes);
    assert(typeof place !== 'string', 'there is room');
    return place;
  };
  return { admission, shed, enter };
}

describe('the share of one management key in the bytes of bodies', () => {
  test('is a quarter of what there is, to the byte', () => {
    const { admission, enter, shed } = open();
    expect(admission.claimShare(enter(200), caller)).toBe(true);
    expect(admission.claimShare(enter(51), caller)).toBe(false);
    expect(admission.claimShare(enter(50), caller)).toBe(true);
    expect(admission.claimShare(enter(1), caller)).toBe(false);
    expect(shed).toEqual(['caller', 'caller']);
  });

  test('lets one body in however large, and requests without a body beside it', () => {
    const { admission, enter } = open();
    expect(admission.claimShare(enter(900), caller)).toBe(true);
    expect(admission.claimShare(enter(0), caller)).toBe(true);
    expect(admission.claimShare(enter(1), caller)).toBe(false);
  });

  test('takes nothing from another one', () => {
    const { admission, enter } = open();
    admission.claimShare(enter(250), caller);
    expect(admission.claimShare(enter(250), other)).toBe(true);
  });

  test('comes back with the end of the request, and a refused one had none', () => {
    const { admission, enter } = open();
    const first = enter(250);
    admission.claimShare(first, caller);
    const refused = enter(100);
    expect(admission.claimShare(refused, caller)).toBe(false);
    admission.leave(refused);
    expect(admission.claimShare(enter(1), caller)).toBe(false);
    admission.leave(first);
    expect(admission.claimShare(enter(250), caller)).toBe(true);
  });
});

describe('mutations while writes wait for long', () => {
  const limits = {
    requestsInFlightMax: 1_000,
    verificationsInFlightMax: 1_000,
    mutationsInFlightMax: 1_000,
    callerInFlightMax: 1_000,
    bodyBytesInFlightMax: 1_000,
  };

  test('are turned away once there is a crowd, and let in again as soon as the wait is short', () => {
    let waitMs = writeWaitMsMax + 1;
    const shed: string[] = [];
    const admission = new Admission(limits, { shed: (reason) => void shed.push(reason) }, () => waitMs);
    for (let inside = 0; inside < crowdOfMutationsMin; inside += 1) {
      expect(admission.enter('mutations', 0)).toBeTypeOf('object');
    }
    expect(admission.enter('mutations', 0)).toBe('write_wait');
    expect(admission.enter('verifications', 0)).toBeTypeOf('object');
    waitMs = writeWaitMsMax;
    expect(admission.enter('mutations', 0)).toBeTypeOf('object');
    expect(shed).toEqual(['write_wait']);
  });
});
