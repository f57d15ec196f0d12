/** The only way by which the server's rooms wait: the verifier's own, since both run in one process. */
export { type CancelTimer, systemTimers, type Timers } from '@keyswarm/verifier/timers';
