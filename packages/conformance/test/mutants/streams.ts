/** What goes into a program and comes out of it. */
import { PassThrough, Transform, Writable, type Readable } from 'node:stream';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import type { ChildHandle, LaunchPlan, PlanStream } from '@vircommand/core/backend';
import { both, declaring, hangs, withHandle, withPlan, withStart, withSync, type Mutant } from './mutant';

/** One output stream, passed through something that is wrong. */
function through(source: Readable | undefined, make: () => Transform): Readable | undefined {
  if (source === undefined) return undefined;
  const filter = make();
  source.on('error', (error) => filter.destroy(error));
  filter.once('close', () => source.destroy());
  return source.pipe(filter);
}

const filtered = (make: () => Transform): Mutant['break'] =>
  withHandle(({ stdout, stderr }) => ({ stdout: through(stdout, make), stderr: through(stderr, make) }));

/** Keeps back what came last, and never gives it. */
function forgetful(): Transform {
  let held: unknown;
  return new Transform({
    transform(chunk, _encoding, done) {
      if (held !== undefined) this.push(held);
      held = chunk;
      done();
    },
  });
}

/** Is full once for all. */
function bounded(): Transform {
  let left = 256 * 1024;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const taken = chunk.subarray(0, left);
      left -= taken.length;
      done(null, taken);
    },
  });
}

/** Gives nothing more when the program is over. */
function deafAfter(exited: ChildHandle['exited']): Transform {
  let over = false;
  void exited.then(() => (over = true));
  return new Transform({
    transform(chunk, _encoding, done) {
      if (over) done();
      else done(null, chunk);
    },
  });
}

const decoding = (): Transform =>
  new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, Buffer.from(chunk.toString('utf8')));
    },
  });

/** What Node and libuv have below a stream. */
interface Below {
  readonly _handle?: { setBlocking(blocking: boolean): void };
}

/** A writable that hands on what `take` lets through, and ends the pipe only if it `ends`. */
function input(stdin: Writable | undefined, take: (bytes: Buffer) => Buffer, ends: boolean): Writable | undefined {
  if (stdin === undefined) return undefined;
  stdin.on('error', () => undefined);
  return new Writable({
    write(bytes: Buffer, _encoding, done) {
      stdin.write(take(bytes), () => done());
    },
    final(done) {
      if (ends) stdin.end();
      done();
    },
    destroy(error, done) {
      if (ends) stdin.destroy();
      done(error);
    },
  });
}

/** The file for its output is open already. */
function opened(plan: LaunchPlan): LaunchPlan {
  if (plan.stdout.type === 'file') closeSync(openSync(plan.stdout.path, 'w'));
  return plan;
}

const withStreams = (change: (stream: PlanStream) => PlanStream): Mutant['break'] =>
  withPlan((plan) => ({
    ...plan,
    stdin: change(plan.stdin),
    stdout: change(plan.stdout),
    stderr: change(plan.stderr),
  }));

const withFiles = (change: (file: Extract<PlanStream, { type: 'file' }>, plan: LaunchPlan) => PlanStream) =>
  withPlan((plan) => {
    const changed = (stream: PlanStream): PlanStream => (stream.type === 'file' ? change(stream, plan) : stream);
    return { ...plan, stdin: changed(plan.stdin), stdout: changed(plan.stdout), stderr: changed(plan.stderr) };
  });

/** Two pipes in place of one, and what came out of the second one behind that of the first. */
async function oneAfterTheOther(handle: ChildHandle): Promise<Readable> {
  const whole = new PassThrough();
  for (const stream of [handle.stdout, handle.stderr]) {
    if (stream === undefined) continue;
    for await (const chunk of stream) whole.write(chunk);
  }
  whole.end();
  return whole;
}

export const streamMutants: readonly Mutant[] = [
  {
    does: 'blocks when it reads',
    caughtBy: 'pipes.nonblocking',
    bound: hangs,
    break: withHandle((handle) => {
      (handle.stdout as Below | undefined)?._handle?.setBlocking(true);
      return {};
    }),
  },
  { does: 'loses the last chunk of the output', caughtBy: 'output.complete', break: filtered(forgetful) },
  { does: 'loses the output from 256 KiB on', caughtBy: 'pipes.reader', break: filtered(bounded) },
  {
    does: 'loses the output that comes after the exit',
    caughtBy: 'drain.held-reader',
    break: withHandle(({ stdout, exited }) => ({ stdout: through(stdout, () => deafAfter(exited)) })),
  },
  { does: 'treats output as text', caughtBy: 'output.malformed', break: filtered(decoding) },
  {
    does: 'swaps stdout and stderr',
    caughtBy: 'output.separate',
    break: withHandle(({ stdout, stderr }) => ({ stdout: stderr, stderr: stdout })),
  },
  {
    does: 'swaps stdout and stderr when it blocks',
    caughtBy: 'output.separate.sync',
    break: withSync((good, plan, request) => {
      const { stdout, stderr, ...rest } = good(plan, request);
      return { ...rest, stdout: stderr, stderr: stdout };
    }),
  },
  {
    does: 'reads no output until the program has ended, and so hangs on a full pipe',
    caughtBy: 'output.both-full',
    bound: hangs,
    break: withStart(async (good, plan) => {
      const handle = await good.start(plan);
      await handle.exited;
      return handle;
    }),
  },
  {
    does: 'throws away at the exit what nobody has read yet',
    caughtBy: 'contract.exit-before-end',
    break: withHandle((handle) => ({
      exited: handle.exited.then((status) => {
        handle.stdout?.resume();
        return new Promise((resolve) => setImmediate(() => setImmediate(resolve, status)));
      }),
    })),
  },
  {
    does: 'merges stdout and stderr, but not in the order in which they were written',
    caughtBy: 'merged.order',
    break: withStart(async (good, plan) => {
      if (plan.stderr.type !== 'same-as-stdout' || plan.stdout.type !== 'pipe') return good.start(plan);
      const handle = await good.start({ ...plan, stderr: { type: 'pipe' } });
      return { ...handle, stdout: await oneAfterTheOther(handle), stderr: undefined };
    }),
  },
  {
    does: 'sends the first 64 KiB of the input only',
    caughtBy: 'input.large',
    break: withHandle(({ stdin }) => ({ stdin: input(stdin, (bytes) => bytes.subarray(0, 65_536), true) })),
  },
  {
    does: 'never ends the input',
    caughtBy: 'input.text',
    bound: hangs,
    break: withHandle(({ stdin }) => ({ stdin: input(stdin, (bytes) => bytes, false) })),
  },
  {
    does: 'loses the input when it blocks',
    caughtBy: 'input.text.sync',
    break: withSync((good, plan, request) => good(plan, { ...request, input: undefined })),
  },
  {
    does: 'gives up held output at the exit when it blocks, whatever drain was asked for',
    caughtBy: 'drain.later-blocking',
    break: both(
      withSync((good, plan, request) => {
        if (plan.stdout.type !== 'pipe') return good(plan, request);
        const directory = mkdtempSync(path.join(tmpdir(), 'undrained-'));
        try {
          // Nobody waits for the end of a file.
          const file = path.join(directory, 'stdout');
          const outcome = good({ ...plan, stdout: { type: 'file', path: file, mode: 'write' } }, request);
          return { ...outcome, stdout: readFileSync(file), outputComplete: false };
        } finally {
          rmSync(directory, { recursive: true });
        }
      }),
      declaring('sync-deadline'),
    ),
  },
  {
    does: 'leaves a stdin open that nobody asked for',
    caughtBy: 'defaults.stdin',
    bound: hangs,
    break: withStart(async (good, plan) => {
      if (plan.stdin.type !== 'null') return good.start(plan);
      const handle = await good.start({ ...plan, stdin: { type: 'pipe' } });
      return { ...handle, stdin: undefined };
    }),
  },
  {
    does: 'has streams that nobody asked for',
    caughtBy: 'contract.streams',
    break: withHandle(({ stderr }, plan) => ({ stderr: plan.stderr.type === 'null' ? new PassThrough() : stderr })),
  },
  {
    does: 'truncates a file that is to be appended to',
    caughtBy: 'file-stdio.append',
    break: withFiles((file) => ({ ...file, mode: file.mode === 'append' ? 'write' : file.mode })),
  },
  {
    does: 'looks for a file in the working directory of the program',
    caughtBy: 'file-stdio.relative',
    break: withFiles((file, plan) => ({ ...file, path: path.resolve(plan.cwd ?? '', file.path) })),
  },
  {
    does: 'opens files before it looks for the program',
    caughtBy: 'start-error.file-stays',
    break: withPlan(opened),
  },
  {
    does: 'opens files before it looks for the program that it blocks for',
    caughtBy: 'start-error.file-stays.sync',
    break: withPlan(opened),
  },
  {
    does: 'makes files that everybody may write',
    caughtBy: 'file-stdio.mode',
    break: withStart(async (good, plan) => {
      const handle = await good.start(plan);
      if (plan.stdout.type === 'file') chmodSync(plan.stdout.path, 0o666);
      return handle;
    }),
  },
  {
    does: 'writes to /dev/null in place of a descriptor',
    caughtBy: 'descriptor-stdio.stdout',
    break: withStreams((stream) => (stream.type === 'fd' ? { type: 'null' } : stream)),
  },
];
