import { startTcpProxy, type TcpProxy } from '../../faults/index.ts';
import { startPostgres } from '../../postgres/index.ts';
import type { StageDatabase, StageWishes } from './stage.ts';

export interface OpenedDatabase extends StageDatabase {
  /** A wire of its own for whoever connects, and the URL behind it. */
  connect(): Promise<{ readonly link: TcpProxy; readonly url: string }>;
  stop(): Promise<void>;
}

/** A PostgreSQL of the stage's own, and the wires to it. */
export async function openDatabase(wishes: StageWishes): Promise<OpenedDatabase> {
  const postgres = await startPostgres({
    own: true,
    settings: { synchronous_commit: 'on', ...wishes.settings },
  });
  const url = await postgres.createDatabase('chaos');
  const links: TcpProxy[] = [];
  return {
    url,
    dataDir: postgres.dataDir ?? '',
    get pid() {
      return postgres.pid;
    },
    crash: () => postgres.halt('immediate'),
    resume: () => postgres.resume(),
    async connect() {
      const link = await startTcpProxy({ port: postgres.port });
      links.push(link);
      const through = new URL(url);
      through.port = String(link.port);
      return { link, url: through.href };
    },
    async stop() {
      for (const link of links) link.heal();
      await Promise.all(links.map((link) => link.close()));
      await postgres.stop('immediate');
    },
  };
}
