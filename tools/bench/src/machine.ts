/** Where and with what it was measured: a figure without it says nothing. */
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { versionOf } from './packages';

export function machine() {
  const names = [
    'execa',
    'execa-10',
    'tinyexec',
    'nano-spawn',
    'zx',
    'cross-spawn',
    '@oven/bun-linux-x64',
    '@deno/linux-x64-glibc',
  ] as const;
  const model = cpus()[0]?.model.replace(/\s+/g, ' ').trim() ?? '';
  return {
    // Not told everywhere.
    processor: model === '' ? process.arch : model,
    processors: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    date: new Date().toISOString().slice(0, 10),
    versions: Object.fromEntries(names.map((name) => [name, versionOf(name)])),
  };
}
