/** Tarballs as npm makes them: their files and what is in those. */
import { gunzipSync } from 'node:zlib';

const block = 512;
const text = (bytes: Buffer): string =>
  bytes.subarray(0, bytes.indexOf(0) < 0 ? bytes.length : bytes.indexOf(0)).toString();

/** The files of a package by their paths in it. */
export function filesOf(tarball: Uint8Array): Map<string, Buffer> {
  const tar = gunzipSync(tarball);
  const files = new Map<string, Buffer>();
  // A path that is too long for its field comes in an entry of its own before the file.
  let long: string | undefined;
  for (let at = 0; at + block <= tar.length && tar[at] !== 0;) {
    const header = tar.subarray(at, at + block);
    const size = parseInt(text(header.subarray(124, 136)), 8);
    const content = tar.subarray(at + block, at + block + size);
    const kind = String.fromCharCode(header[156] ?? 0);
    const prefix = text(header.subarray(345, 500));
    const name = long ?? `${prefix === '' ? '' : `${prefix}/`}${text(header.subarray(0, 100))}`;
    long = undefined;
    if (kind === 'x') long = /\d+ path=(.*)\n/.exec(content.toString())?.[1];
    else if (kind === '0' || kind === '\0') files.set(name.replace(/^package\//, ''), content);
    at += block + Math.ceil(size / block) * block;
  }
  return files;
}
