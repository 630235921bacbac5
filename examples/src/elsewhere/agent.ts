/** The other side: starts programs with a backend that is good there, and relays. Ends with the connection. */
import { setImmediate as turn } from 'node:timers/promises';
import { backend } from '@vircommand/child-process';
import { CommandStartError, type ChildHandle, type LaunchPlan } from '@vircommand/core/backend';
import { receive, send, type Order, type Output, type Report } from './protocol';

const programs = new Map<number, ChildHandle>();
const report = (message: Report): void => {
  send(process.stdout, message);
};

async function start(id: number, plan: LaunchPlan): Promise<void> {
  let program: ChildHandle;
  try {
    program = await backend.start(plan);
  } catch (error) {
    if (!(error instanceof CommandStartError)) throw error;
    const { stage, reason, code, path } = error;
    report({ id, is: 'failed', stage, error: { message: reason, code }, path });
    return;
  }
  programs.set(id, program);
  report({ id, is: 'started' });
  program.stdin?.on('error', () => undefined);
  const relays = [relay(id, program, 'stdout'), relay(id, program, 'stderr')];
  const status = await program.exited;
  // What it wrote before its exit comes before that, whether it was asked for or not.
  for (const { flow } of relays) flow(true);
  await turn();
  await turn();
  report({ id, is: 'exited', status });
  for (const { flow } of relays) flow(false);
  await Promise.all(relays.map(({ closed }) => closed));
  programs.delete(id);
}

/** One chunk for each order to read; while it flows, all there is. */
function relay(id: number, program: ChildHandle, from: Output) {
  const stream = program[from];
  let flowing = false;
  stream?.on('data', (bytes: Buffer) => {
    if (!flowing) stream.pause();
    report({ id, is: 'output', from, bytes: bytes.toString('base64') });
  });
  stream?.pause().on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    if (stream === undefined) resolve();
    stream?.once('close', () => {
      report({ id, is: 'end', from });
      resolve();
    });
  });
  const flow = (all: boolean): void => {
    flowing = all;
    if (all) stream?.resume();
    else stream?.pause();
  };
  return { closed, flow };
}

function carryOut(order: Order): void {
  const { id } = order;
  if (order.do === 'start') {
    void start(id, order.plan);
    return;
  }
  const program = programs.get(id);
  switch (order.do) {
    case 'signal':
      program?.signal(order.name, order.target);
      break;
    case 'read':
      program?.[order.from]?.resume();
      break;
    case 'write':
      program?.stdin?.write(Buffer.from(order.bytes, 'base64'), (error: NodeJS.ErrnoException | null | undefined) => {
        report({ id, is: 'written', error: error ? { message: error.message, code: error.code } : undefined });
      });
      break;
    case 'close':
      program?.[order.stream]?.destroy();
      break;
    case 'dispose':
      program?.dispose();
      break;
  }
}

receive(process.stdin, (message) => {
  carryOut(message as Order);
});
process.stdin.once('end', () => process.exit());
