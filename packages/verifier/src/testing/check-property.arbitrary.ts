/** The one of core, by its door for tests. */
export { checkProperty, replayCommand } from '@keyswarm/core/testing';
