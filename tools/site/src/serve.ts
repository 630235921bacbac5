/** The built site over HTTP, as any static host has it: `/guide` is `guide.html`, and what is not there is 404. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';

export const dist = path.resolve(__dirname, '..', 'dist');

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** The file behind the path of a URL. */
export function fileOf(pathname: string): string {
  const name = decodeURIComponent(pathname);
  if (name.endsWith('/')) return `${name}index.html`;
  return path.extname(name) in types ? name : `${name}.html`;
}

export async function serve(): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    const file = fileOf(new URL(request.url ?? '/', 'http://site').pathname);
    try {
      const body = readFileSync(path.join(dist, path.posix.normalize(file)));
      response.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
