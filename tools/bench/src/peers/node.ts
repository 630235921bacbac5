/** `node:child_process` by hand, and cross-spawn, which has its interface. */
import { spawn, spawnSync } from 'node:child_process';
import { captured, collect, conversation, count, exit, piped, quiet, sizeOf, type Library, type Ways } from './ways';

const waysOf = (start: typeof spawn): Ways => ({
  start: (program, args) => exit(start(program, args, quiet)),
  capture: async (program, args) => (await collect(start(program, args, captured()))).length,
  async stream(program, args) {
    const child = start(program, args, captured());
    const [bytes] = await Promise.all([sizeOf(child.stdout), exit(child)]);
    return bytes;
  },
  async feed(program, args, input) {
    const child = start(program, args, piped());
    child.stdin.end(input);
    return Number((await collect(child)).toString());
  },
  talk(program, args) {
    const child = start(program, args, piped());
    return conversation(child, exit(child));
  },
});

export const byHand: Library = {
  name: 'child_process',
  role: 'peer',
  async load() {
    const { createInterface } = await import('node:readline');
    return {
      ...waysOf(spawn),
      startSync: (program, args) => spawnSync(program, args, quiet),
      captureSync: (program, args) => spawnSync(program, args, { ...captured(), maxBuffer: Infinity }).stdout.length,
      async lines(program, args) {
        const child = spawn(program, args, captured());
        const [found] = await Promise.all([count(createInterface({ input: child.stdout })), exit(child)]);
        return found;
      },
    };
  },
};

export const crossSpawn: Library = {
  name: 'cross-spawn',
  role: 'peer',
  async load() {
    const { default: found } = await import('cross-spawn');
    return {
      ...waysOf(found as typeof spawn),
      startSync: (program, args) => found.sync(program, [...args], quiet),
      captureSync: (program, args) =>
        found.sync(program, [...args], { ...captured(), maxBuffer: Infinity }).stdout.length,
    };
  },
};
