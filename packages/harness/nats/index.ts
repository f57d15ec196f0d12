export { type FoundNats, findNats } from './find-nats.ts';
export type { NatsNode, NodeSignal } from './nats-node.ts';
export {
  type NatsCluster,
  type NatsClusterOptions,
  natsDomain,
  startNatsCluster,
} from './start-nats-cluster.ts';
export { TcpLink } from './tcp-link.ts';
