import { once } from 'node:events';
import Provider from 'oidc-provider';

/*
 * Opaque access tokens of oidc-provider, introspected over HTTP (RFC 7662) by a client that proves itself with
 * client_secret_basic. They are kept in a Map, the fastest store there is: the one that it brings along forgets all but
 * the last thousand.
 */

const [{ tokensCount }] = await once(process, 'message');
const client = { id: 'bench', secret: 'a-secret-of-a-benchmark-that-guards-nothing' };
class MapAdapter {
  static #stores = new Map();
  #entries;

  constructor(name) {
    this.#entries = MapAdapter.#stores.get(name) ?? new Map();
    MapAdapter.#stores.set(name, this.#entries);
  }

  async upsert(id, payload) {
    this.#entries.set(id, payload);
  }

  async find(id) {
    return this.#entries.get(id);
  }

  async destroy(id) {
    this.#entries.delete(id);
  }
}

const provider = new Provider('http://127.0.0.1', {
  adapter: MapAdapter,
  clients: [
    {
      client_id: client.id,
      client_secret: client.secret,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  scopes: ['orders:read'],
  ttl: { ClientCredentials: 86_400 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
  },
});
const found = await provider.Client.find(client.id);
const tokens = [];
for (let made = 0; made < tokensCount; made += 1) {
  tokens.push(await new provider.ClientCredentials({ client: found, scope: 'orders:read' }).save());
}
const server = provider.listen(0, '127.0.0.1', () => {
  const authorization = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`;
  process.send({ port: server.address().port, tokens, authorization, path: '/token/introspection' });
});
process.on('disconnect', () => process.exit());
