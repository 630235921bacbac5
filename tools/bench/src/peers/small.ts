/** The small ones: tinyexec and nano-spawn. */
import { captured, conversation, count, piped, quiet, type Library } from './ways';

export const tinyexec: Library = {
  name: 'tinyexec',
  role: 'peer',
  async load() {
    const { x, xSync } = await import('tinyexec');
    return {
      start: (program, args) => x(program, [...args], { nodeOptions: quiet }),
      startSync: (program, args) => xSync(program, [...args], { nodeOptions: quiet }),
      captureSync: (program, args) => xSync(program, [...args], { nodeOptions: captured() }).stdout.length,
      capture: async (program, args) => (await x(program, [...args], { nodeOptions: captured() })).stdout.length,
      lines: (program, args) => count(x(program, [...args], { nodeOptions: captured() })),
      async feed(program, args, input) {
        const child = x(program, [...args], { nodeOptions: piped() });
        child.process?.stdin?.end(input);
        return Number((await child).stdout);
      },
      talk(program, args) {
        const child = x(program, [...args], { nodeOptions: piped() });
        if (child.process === undefined) throw new Error('no process');
        const ended = new Promise((resolve) => child.process?.once('close', resolve));
        return conversation(child.process, ended);
      },
    };
  },
};

export const nanoSpawn: Library = {
  name: 'nano-spawn',
  role: 'peer',
  async load() {
    const { default: start } = await import('nano-spawn');
    return {
      start: (program, args) => start(program, args, quiet),
      capture: async (program, args) => (await start(program, args, captured())).stdout.length,
      lines: (program, args) => count(start(program, args, captured())),
      async feed(program, args, input) {
        const child = start(program, args, piped());
        (await child.nodeChildProcess).stdin?.end(input);
        return Number((await child).stdout);
      },
      async talk(program, args) {
        const child = start(program, args, piped());
        return conversation(await child.nodeChildProcess, child);
      },
    };
  },
};
