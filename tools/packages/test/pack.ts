/** Packs every package as it would be published. */
import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { Command } from '@vircommand/child-process';
import { readManifest, root } from './packages';
import type { Manifest } from './packages';
import { filesOf } from './tarball';

/** A package as it would be published. */
export interface Packed {
  readonly manifest: Manifest;
  readonly file: string;
  readonly bytes: Buffer;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** The pnpm of the workspace: of a directory, with arguments. */
export const pnpm = (cwd: string, ...args: string[]): Command =>
  new Command('npx', ['--yes', String(readManifest(root).packageManager), ...args], { cwd });

export async function packAll(directory: string): Promise<readonly Packed[]> {
  const args = ['--filter', './packages/*', '--recursive', 'pack', '--pack-destination', directory];
  await pnpm(root, ...args).run({ timeout: 120_000 });
  return readdirSync(directory)
    .filter((name) => name.endsWith('.tgz'))
    .map((name) => {
      const file = path.join(directory, name);
      const bytes = readFileSync(file);
      const files = filesOf(bytes);
      const manifest = JSON.parse(files.get('package.json')?.toString() ?? '{}') as Manifest;
      return { manifest, file, bytes, files };
    });
}
