import { startTcpProxy } from './tcp-proxy.ts';

/*
 * lossy-way-main.ts LISTEN-HOST HOST PORT: the half of a lossy way that lives in the namespace. Says the port that it listens at, and
 * ends with whoever started it.
 */

const [listenHost = '', host = '', port = ''] = process.argv.slice(2);
const wire = await startTcpProxy({ listenHost, host, port: Number(port) });
console.log(wire.port);
process.stdin.once('end', () => process.exit()).resume();
