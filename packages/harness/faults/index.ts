export { startTcpProxy, type TcpFault, type TcpProxy, type TcpProxyOptions } from './tcp-proxy.ts';
