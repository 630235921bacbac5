/** execa, in the version for Node 20 and in the newest. */
import { NotHere } from '../case';
import { conversation, count, quiet, sizeOf, type Library, type Ways } from './ways';

const limit = { encoding: 'buffer', maxBuffer: 2 ** 31 } as const;
const options = { stdin: 'ignore', stderr: 'ignore', ...limit } as const;

const waysOf = ({ execa, execaSync }: typeof import('execa')): Ways => ({
  start: (program, args) => execa(program, args, quiet),
  startSync: (program, args) => execaSync(program, args, quiet),
  captureSync: (program, args) => execaSync(program, args, options).stdout.length,
  capture: async (program, args) => (await execa(program, args, options)).stdout.length,
  async stream(program, args) {
    const child = execa(program, args, { stdin: 'ignore', stderr: 'ignore', buffer: false });
    const [bytes] = await Promise.all([sizeOf(child.stdout), child]);
    return bytes;
  },
  lines: (program, args) => count(execa(program, args, { stdin: 'ignore', stderr: 'ignore', buffer: false })),
  feed: async (program, args, input) => Number((await execa(program, args, { input, stderr: 'ignore' })).stdout),
  talk(program, args) {
    const child = execa(program, args, { stderr: 'ignore', buffer: false });
    return conversation(child, child);
  },
});

export const execa9: Library = { name: 'execa 9', role: 'peer', load: async () => waysOf(await import('execa')) };

export const execa10: Library = {
  name: 'execa 10',
  role: 'peer',
  async load() {
    if (Number(process.versions.node.split('.')[0]) < 22) throw new NotHere('it needs Node.js 22');
    // Its interface is that of 9 as far as it is used here; its types would need newer types of Node.
    return waysOf((await import(['execa', '10'].join('-'))) as typeof import('execa'));
  },
};
