// The same work by Bun.spawn or Deno.Command, whichever runs this: `runtimes.mjs WAY PROGRAM ARGUMENTS`. For each line on
// stdin the work is done once; the answer is the nanoseconds that it took and the bytes that the program wrote.
import { createInterface } from 'node:readline';

const bun = {
  options: (stdout) => ({ stdin: 'ignore', stdout, stderr: 'ignore' }),
  async start(command) {
    await globalThis.Bun.spawn(command, this.options('ignore')).exited;
  },
  startSync(command) {
    globalThis.Bun.spawnSync(command, this.options('ignore'));
  },
  async capture(command) {
    const child = globalThis.Bun.spawn(command, this.options('pipe'));
    const [bytes] = await Promise.all([new Response(child.stdout).arrayBuffer(), child.exited]);
    return bytes.byteLength;
  },
  captureSync: (command) => globalThis.Bun.spawnSync(command, bun.options('pipe')).stdout.length,
};

const deno = {
  command: ([program, ...args], stdout) =>
    new globalThis.Deno.Command(program, { args, stdin: 'null', stdout, stderr: 'null' }),
  async start(command) {
    await this.command(command, 'null').output();
  },
  startSync(command) {
    this.command(command, 'null').outputSync();
  },
  capture: async (command) => (await deno.command(command, 'piped').output()).stdout.length,
  captureSync: (command) => deno.command(command, 'piped').outputSync().stdout.length,
};

const [way, ...command] = process.argv.slice(2);
const runtime = globalThis.Bun === undefined ? deno : bun;
for await (const line of createInterface({ input: process.stdin })) {
  if (line === '') continue;
  const begun = performance.now();
  const bytes = (await runtime[way](command)) ?? 0;
  console.log(`${Math.round((performance.now() - begun) * 1e6)} ${bytes}`);
}
