import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNginx } from './find-nginx.ts';

export interface NginxOptions {
  /** `host:port` of the nodes that it asks. */
  readonly nodes: readonly string[];
  /** `host:port` of what stands behind it. */
  readonly application: string;
  /** By path: what is asked, as `keyspace=…&scope=…`. */
  readonly locations: Readonly<Record<string, string>>;
}

export interface Nginx {
  readonly url: string;
  /** All that it wrote, its error log too. */
  output(): string;
  stop(): Promise<void>;
}

const snippets = fileURLToPath(new URL('../../../deploy/nginx/', import.meta.url));
const startMsMax = 10_000;
const lookEveryMs = 20;

/** nginx on loopback, in one process and a folder of its own, with the snippets of deploy/nginx. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const { path, missing } = findNginx();
  if (path === undefined) throw new Error(missing);
  const folder = mkdtempSync(join(tmpdir(), 'keyswarm-nginx-'));
  const port = await freePort();
  writeFileSync(join(folder, 'nginx.conf'), settingsOf(options, folder, port));
  const child = spawn(path, ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {},
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGQUIT');
    const late = setTimeout(() => child.kill('SIGKILL'), startMsMax);
    if (child.exitCode === null && child.signalCode === null) await exited;
    clearTimeout(late);
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  for (let waitedMs = 0; waitedMs < startMsMax && child.exitCode === null; waitedMs += lookEveryMs) {
    const answers = await fetch(`${url}/_up`).then(
      (reply) => reply.status === 204,
      () => false,
    );
    if (answers) return { url, output: () => output, stop };
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  await stop();
  throw new Error(`nginx did not start: ${output}`);
}

function settingsOf({ nodes, application, locations }: NginxOptions, folder: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr info;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.map((what) => `${what}_temp_path ${folder}/${what};`).join('\n  ')}
  upstream keyswarm {
    ${nodes.map((node) => `server ${node} max_fails=0;`).join('\n    ')}
    keepalive 32;
  }
  server {
    listen 127.0.0.1:${port};
    include ${snippets}forward-auth.conf;
    location = /_up { return 204; }
    ${Object.entries(locations)
      .map(
        ([path, question]) => `location ${path} {
      set $keyswarm_question "${question}";
      include ${snippets}forward-auth-protect.conf;
      proxy_pass http://${application};
    }`,
      )
      .join('\n    ')}
  }
}
`;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('the probe has no port');
  return address.port;
}
