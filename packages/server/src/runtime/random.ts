/** The only way by which chance reaches the server's rooms: the verifier's own, since both run in one process. */
export { type Random, systemRandom, unitInterval } from '@keyswarm/verifier/random';
