/** zx: each command goes through a shell. */
import { captured, conversation, count, type Library } from './ways';

export const zx: Library = {
  name: 'zx',
  role: 'peer',
  async load() {
    const { $ } = await import('zx');
    const shell = $({ quiet: true, stdio: 'ignore' });
    const pipe = $({ quiet: true, ...captured() });
    return {
      start: (program, args) => shell`${program} ${args}`,
      startSync: (program, args) => $.sync({ quiet: true, stdio: 'ignore' })`${program} ${args}`,
      capture: async (program, args) => (await pipe`${program} ${args}`.buffer()).length,
      lines: (program, args) => count(pipe`${program} ${args}`),
      feed: async (program, args, input) => Number((await $({ quiet: true, input })`${program} ${args}`).stdout),
      talk(program, args) {
        const child = $({ quiet: true })`${program} ${args}`;
        return conversation(child, child);
      },
    };
  },
};
