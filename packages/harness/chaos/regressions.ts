/*
 * What chaos has found, with the scenario and the seed that found it: `keyswarm chaos --regressions` plays them again. The load
 * and the schedule come back with the seed; what broke has a test of its own beside the code that was mended.
 */

export interface Regression {
  readonly scenario: string;
  readonly seed: number;
  readonly found: string;
}

export const regressions: readonly Regression[] = [
  {
    scenario: 'poison-event',
    seed: 7,
    found:
      'an event that could not be read was passed over by /v1/events and webhooks, and lost once it could be',
  },
  {
    scenario: 'relay-loss',
    seed: 20261125,
    found:
      'a verifier that was waiting for rows of a relay that stood still asked nobody for its lease for 5 s, with another relay there',
  },
];
