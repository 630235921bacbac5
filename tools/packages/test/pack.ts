/** Packs every package as it would be published. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { Command } from '@vircommand/child-process';
import { readManifest, root } from './packages';
import type { Manifest } from './packages';
import { filesOf } from './tarball';

/** A package as it would be published. */
export interface Packed {
  readonly manifest: Manifest;
  readonly bytes: Buffer;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** The pnpm of the workspace: of a directory, with arguments. */
const pnpm = (cwd: string, ...args: string[]): Command =>
  new Command('npx', ['--yes', String(readManifest(root).packageManager), ...args], { cwd });

async function packAll(): Promise<readonly Packed[]> {
  const directory = mkdtempSync(path.join(tmpdir(), 'vircommand-pack-'));
  process.once('exit', () => {
    rmSync(directory, { recursive: true, force: true });
  });
  const args = ['--filter', './packages/*', '--recursive', 'pack', '--pack-destination', directory];
  await pnpm(root, ...args).run({ timeout: 120_000 });
  return readdirSync(directory).map((name) => {
    const bytes = readFileSync(path.join(directory, name));
    const files = filesOf(bytes);
    const manifest = JSON.parse(files.get('package.json')?.toString() ?? '{}') as Manifest;
    return { manifest, bytes, files };
  });
}

let all: Promise<readonly Packed[]> | undefined;
/** Every package, packed once. */
export const packed = (): Promise<readonly Packed[]> => (all ??= packAll());
