// The same work by Bun.spawn or Deno.Command, whichever runs this: `runtimes.mjs WAY AMOUNT MEBIBYTES PROGRAM ARGUMENTS`. For
// each line on stdin the work is done once; the answer is JSON: `taken`, in milliseconds, and `bytes`.
import { createInterface } from 'node:readline';
import { blocked, Meter } from '../../dist/agents/meter.js';

const [way, amountText, mebibytes, ...command] = process.argv.slice(2);
const amount = Number(amountText);
// Exported, or nobody would need it and it would be collected.
export const filled = Array.from({ length: Number(mebibytes) }, () => new Uint8Array(1 << 20).fill(1));
const input = new Uint8Array(way === 'feed' ? amount : 0).fill(120);
const message = new Uint8Array(64).fill(120);
const large = 1 << 20;

async function drain(stream) {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}

const bunOptions = (stdin, stdout) => ({ stdin, stdout, stderr: 'ignore' });
const bun = {
  start: () => Bun.spawn(command, bunOptions('ignore', 'ignore')).exited,
  startSync() {
    Bun.spawnSync(command, bunOptions('ignore', 'ignore'));
  },
  async capture() {
    const child = Bun.spawn(command, bunOptions('ignore', 'pipe'));
    const [bytes] = await Promise.all([new Response(child.stdout).arrayBuffer(), child.exited]);
    return bytes.byteLength;
  },
  captureSync: () => Bun.spawnSync(command, bunOptions('ignore', 'pipe')).stdout.length,
  async stream() {
    const child = Bun.spawn(command, bunOptions('ignore', 'pipe'));
    const [bytes] = await Promise.all([drain(child.stdout), child.exited]);
    return bytes;
  },
  async feed() {
    const child = Bun.spawn(command, bunOptions(input, 'pipe'));
    const [text] = await Promise.all([new Response(child.stdout).text(), child.exited]);
    return Number(text);
  },
  talk() {
    const child = Bun.spawn(command, bunOptions('pipe', 'pipe'));
    const write = () => {
      child.stdin.write(message);
      return child.stdin.flush();
    };
    return { write, reader: child.stdout.getReader(), end: () => child.stdin.end(), ended: child.exited };
  },
};

const denoCommand = (stdin, stdout) =>
  new Deno.Command(command[0], { args: command.slice(1), stdin, stdout, stderr: 'null' });
const deno = {
  start: () => denoCommand('null', 'null').output(),
  startSync() {
    denoCommand('null', 'null').outputSync();
  },
  capture: async () => (await denoCommand('null', 'piped').output()).stdout.length,
  captureSync: () => denoCommand('null', 'piped').outputSync().stdout.length,
  async stream() {
    const child = denoCommand('null', 'piped').spawn();
    const [bytes] = await Promise.all([drain(child.stdout), child.status]);
    return bytes;
  },
  async feed() {
    const child = denoCommand('piped', 'piped').spawn();
    const writer = child.stdin.getWriter();
    const fed = writer.write(input).then(() => writer.close());
    const [{ stdout }] = await Promise.all([child.output(), fed]);
    return Number(new TextDecoder().decode(stdout));
  },
  talk() {
    const child = denoCommand('piped', 'piped').spawn();
    const writer = child.stdin.getWriter();
    return {
      write: () => writer.write(message),
      reader: child.stdout.getReader(),
      end: () => writer.close(),
      ended: child.status,
    };
  },
};

const runtime = globalThis.Bun === undefined ? deno : bun;

async function trips({ write, reader }, count) {
  for (let trip = 0; trip < count; trip++) {
    await write();
    for (let missing = message.length; missing > 0;) missing -= (await reader.read()).value.length;
  }
}

const works = {
  ...runtime,
  async talk() {
    const conversation = runtime.talk();
    await trips(conversation, 1);
    const begun = performance.now();
    await trips(conversation, amount);
    const taken = performance.now() - begun;
    await conversation.end();
    await conversation.ended;
    return { taken };
  },
  async crowd() {
    const meter = new Meter();
    const begun = performance.now();
    await Promise.all(Array.from({ length: amount }, () => runtime.start()));
    const taken = performance.now() - begun;
    return { taken, ...meter.stop() };
  },
  block: () => blocked(() => runtime.start()),
};

const collectGarbage = () => (globalThis.Bun === undefined ? globalThis.gc?.() : Bun.gc(true));

for await (const line of createInterface({ input: process.stdin })) {
  if (line === '') continue;
  const begun = performance.now();
  const found = await works[way]();
  const taken = performance.now() - begun;
  const bytes = typeof found === 'number' && way !== 'start' ? found : 0;
  if (bytes >= large) collectGarbage();
  console.log(JSON.stringify({ taken, bytes, ...(typeof found === 'object' && way !== 'start' ? found : {}) }));
}
