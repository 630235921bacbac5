/** Starts that need somebody between: our launcher, the spawner thread, the command-line tool. */
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { inSequence } from '../agent';
import { NotHere, type Case, type Subject } from '../case';
import { foreign, inC, inVariant, type Task } from '../everybody';
import { manifestOf } from '../packages';
import { launcher as name, thread } from '../peers';

const emptyNode = [process.execPath, '-e', '0'];
const nodeItself = 'node -e 0';
const packageOfTool = path.resolve(__dirname, '../../../../packages/cli');
const tool = 'vircommand run';
const piped = 1 << 30;
const program = ['/bin/true'];
const warmUp = 50;
const withUmask: Task = { way: 'startUmask', program, warmUp };
const maskedByThread = `${thread}, umask`;
const limited: Task = { way: 'startLimited', program, warmUp };
const limitedByThread = `${thread}, limits`;

/** Node, and the tool in it. @throws NotHere */
function toolCommand(...args: readonly string[]): readonly string[] {
  if (!existsSync(path.join(packageOfTool, 'dist'))) throw new NotHere('packages/cli is not built');
  const { bin } = manifestOf(packageOfTool);
  return [process.execPath, path.join(packageOfTool, bin?.vircommand ?? ''), 'run', '--', ...args];
}

/** Started by the C program, so that only what is started differs. */
const started = (subject: string, role: Subject['role'], program: () => readonly string[]): Subject =>
  inC({ way: 'start', program }, subject, role);
const shell = (script: string, args: readonly string[] = []): readonly string[] => ['sh', '-c', script, 'sh', ...args];
const zeros = `head -c ${piped} /dev/zero`;

export const launcher = (): Case[] => [
  {
    name: 'launcher/start',
    what: 'start /bin/true through the launcher, and wait',
    iterations: 3,
    rounds: 11,
    subjects: [started(nodeItself, 'limit', () => emptyNode), inVariant(name, { way: 'start', program, warmUp: 5 })],
    bars: [{ subject: name, than: nodeItself, atMost: 1.25 }],
  },
  {
    name: 'thread/umask',
    what: 'start /bin/true with a umask through the spawner thread, and wait',
    iterations: 20,
    subjects: [
      inVariant(thread, { way: 'start', program, warmUp }),
      inVariant(thread, withUmask, maskedByThread),
      inVariant(name, withUmask),
      ...foreign(withUmask),
    ],
    bars: [{ subject: maskedByThread, than: thread, atMost: 1.5 }],
  },
  {
    name: 'thread/limits',
    what: 'start /bin/true with a umask, a niceness and two limits through the spawner thread, and wait',
    iterations: 20,
    subjects: [
      inVariant(thread, { way: 'start', program, warmUp }),
      inVariant(thread, limited, limitedByThread),
      inVariant(name, limited),
      ...foreign(limited),
    ],
    bars: [{ subject: limitedByThread, than: thread, atMost: 1.5 }],
  },
  {
    name: 'cli/start',
    what: 'vircommand run -- true',
    iterations: 3,
    rounds: 11,
    subjects: [
      inSequence(`${nodeItself}, and true`, 'limit', [
        started('node', 'limit', () => emptyNode),
        started('true', 'limit', () => ['true']),
      ]),
      started(tool, 'ours', () => toolCommand('true')),
    ],
    bars: [{ subject: tool, than: `${nodeItself}, and true`, atMost: 1.3 }],
  },
  {
    name: 'cli/pipe',
    what: '1 GiB through vircommand run -- cat, and through cat alone',
    iterations: 1,
    rounds: 6,
    subjects: [
      started('cat', 'limit', () => shell(`${zeros} | cat`)),
      started(tool, 'ours', () => shell(`${zeros} | "$@"`, toolCommand('cat'))),
    ],
    bars: [{ subject: tool, than: 'cat', atMost: 1.1 }],
  },
];
