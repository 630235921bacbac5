/** Where and with what it was measured: a figure without it says nothing. */
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { directoryOf, versionOf } from './packages';

/** What is asked by running it. */
const firstLine = (program: string): string | undefined => {
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n')[0] : undefined;
};

export function machine() {
  const model = cpus()[0]?.model.replace(/\s+/g, ' ').trim() ?? '';
  const versions = {
    vircommand: versionOf('vircommand'),
    koffi: versionOf('koffi', directoryOf('@vircommand/posix')),
    execa: versionOf('execa'),
    'execa 10': versionOf('execa-10'),
    tinyexec: versionOf('tinyexec'),
    'nano-spawn': versionOf('nano-spawn'),
    zx: versionOf('zx'),
    'cross-spawn': versionOf('cross-spawn'),
    Bun: versionOf('@oven/bun-linux-x64'),
    Deno: versionOf('@deno/linux-x64-glibc'),
    Python: firstLine('python3')?.replace('Python ', ''),
    'C compiler': firstLine('cc'),
  };
  return {
    // Not told everywhere.
    processor: model === '' ? process.arch : model,
    processors: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    date: new Date().toISOString().slice(0, 10),
    // What is not here has no version; JSON leaves it out.
    versions: Object.fromEntries(
      Object.entries(versions).flatMap(([name, version]) => (version ? [[name, version]] : [])),
    ),
  };
}
