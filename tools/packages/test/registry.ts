/**
 * A registry with what was packed here, and the way to the real one for everything else: so that what is tried is the
 * command that the README names, and never takes a package of ours from elsewhere. What is published to it, it keeps.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Command } from '@vircommand/child-process';
import type { Packed } from './pack';
import { packages } from './packages';

/** What `npm publish` sends, as far as it matters here. */
export interface Publication {
  readonly name: string;
  readonly 'dist-tags': Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, Packed['manifest']>>;
  readonly _attachments: Readonly<Record<string, { readonly data: string }>>;
}

export interface Registry extends AsyncDisposable {
  readonly url: string;
  /** In their order. */
  readonly published: readonly Publication[];
}

/** The registry that this machine uses. */
export async function usualRegistry(): Promise<string> {
  const { stdout } = await new Command('npm', ['config', 'get', 'registry'], { stdout: 'text' }).run({
    timeout: 60_000,
  });
  return stdout.trim();
}

/** When everything was published: long ago, as package managers do not trust what is new. */
const published = '2020-01-01T00:00:00.000Z';

function packument(url: string, { manifest, bytes }: Packed): object {
  const { name, version } = manifest;
  const hash = (algorithm: string): Buffer => createHash(algorithm).update(bytes).digest();
  const dist = {
    tarball: `${url}${name}/-/${version}.tgz`,
    shasum: hash('sha1').toString('hex'),
    integrity: `sha512-${hash('sha512').toString('base64')}`,
  };
  return {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist } },
    time: { created: published, modified: published, [version]: published },
  };
}

const isOurs = (place: string): boolean =>
  packages.some(({ manifest: { name } }) => place === name || place.startsWith(`${name}/`));

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** @param packed - What is published already. @param upstream - Where everything of others is. */
export async function startRegistry(packed: readonly Packed[], upstream: string): Promise<Registry> {
  const received: Publication[] = [];
  let url = '';

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const place = decodeURIComponent(new URL(request.url ?? '/', url).pathname).slice(1);
    const json = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.method === 'PUT') {
      received.push(JSON.parse(await bodyOf(request)) as Publication);
      json(201, { ok: true });
      return;
    }
    const found = packed.find(({ manifest: { name } }) => place === name || place.startsWith(`${name}/-/`));
    if (found === undefined && isOurs(place)) json(404, { error: 'not found' });
    else if (found === undefined) {
      response.writeHead(302, { location: new URL((request.url ?? '/').slice(1), upstream).href }).end();
    } else if (place === found.manifest.name) json(200, packument(url, found));
    else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(found.bytes);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    published: received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
