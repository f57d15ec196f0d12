import { createInterface } from 'node:readline';
import { type CommandResult, type RunningCommand, spawnCommand, type Variables } from './spawn-command.ts';

export interface CommandNode {
  readonly url: string;
  readonly child: RunningCommand['child'];
  readonly ended: Promise<CommandResult>;
  /** All of the log so far. */
  log(): string;
}

export interface NodeCommand {
  readonly relay: string;
  readonly credential: string;
  readonly args?: readonly string[];
  readonly variables?: Variables;
}

/** `keyswarm verifier` on a port of its own choice; resolves when it says that it listens, ready or not. */
export async function startNodeCommand({
  relay,
  credential,
  args = [],
  variables,
}: NodeCommand): Promise<CommandNode> {
  const { child, ended } = spawnCommand(['verifier', '--relay', relay, '--port', '0', ...args], {
    variables: { KEYSWARM_VERIFIER_KEY: credential, ...variables },
  });
  let log = '';
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      log += `${line}\n`;
      const found = line.includes('"listening"') ? /"url":"([^"]+)"/.exec(line)?.[1] : undefined;
      if (found !== undefined) resolve(found);
    });
    void ended.then((result) => reject(new Error(`it ended before it listened: ${JSON.stringify(result)}`)));
  });
  await fetch(`${url}/healthz`);
  return { url, child, ended, log: () => log };
}
