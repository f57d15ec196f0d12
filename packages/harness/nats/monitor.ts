import { get } from 'node:http';

const askMsMax = 2_000;

/** What a server says of itself on its monitoring port; undefined when it does not answer. */
export function monitorOf(port: number, path: string): Promise<unknown> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, timeout: askMsMax, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('error', () => resolve(undefined));
      response.on('end', () => resolve(response.statusCode === 200 ? parsed(text) : undefined));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

interface StreamDetail {
  readonly name: string;
  readonly cluster?: { readonly leader?: string };
}

/** The name of the node that leads this stream, as one node of the cluster sees it. */
export async function streamLeaderSeenBy(port: number, stream: string): Promise<string | undefined> {
  const seen = (await monitorOf(port, '/jsz?accounts=true&streams=true')) as
    | { readonly account_details?: readonly { readonly stream_detail?: readonly StreamDetail[] }[] }
    | undefined;
  const streams = (seen?.account_details ?? []).flatMap(({ stream_detail }) => stream_detail ?? []);
  return streams.find(({ name }) => name === stream)?.cluster?.leader;
}

/** Does this node know who leads the cluster's JetStream? Before that nothing can be made in it. */
export async function knowsMetaLeader(port: number): Promise<boolean> {
  const seen = (await monitorOf(port, '/jsz')) as
    | { readonly meta_cluster?: { readonly leader?: string } }
    | undefined;
  return (seen?.meta_cluster?.leader ?? '') !== '';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
