export {
  type BackendTerminator,
  type IdleTransaction,
  idleInTransaction,
  type TerminateOptions,
  terminateBackends,
} from './database-sessions.ts';
export { type CallFault, type FailingCalls, failCalls, noFailingCalls } from './failing-calls.ts';
export {
  type FeedFault,
  type FeedFaultCounts,
  type FeedProxy,
  type FeedProxyOptions,
  startFeedProxy,
} from './feed-proxy.ts';
export { type LossyWay, openLossyWay } from './lossy-way.ts';
export {
  type NetworkNamespace,
  noNamespaces,
  openNamespace,
  type PacketLoss,
} from './network-namespace.ts';
export { mountSmallDisk, noSmallDisks, type SmallDisk } from './small-disk.ts';
export { startTcpProxy, type TcpFault, type TcpProxy, type TcpProxyOptions } from './tcp-proxy.ts';
