/** Every operation on a started command, in every state that it can be in. Generated: a table of each. */
import * as assert from 'node:assert/strict';
import { CommandAbortedError, CommandExitError, type RunningCommand, type Sink } from '@vircommand/core';
import type { CaseContext } from '../types';
import { group, readLine, readRest, rejection } from './define';

type Talking = RunningCommand<'pipe', Sink, 'pipe'>;

const begin = (t: CaseContext, ...instructions: string[]): Promise<Talking> =>
  t
    .helper(...instructions)
    .setInputFd('pipe')
    .setOutputFd('pipe')
    .runAsync({ killDelay: 60_000, drainDelay: 60_000 });

interface State {
  readonly title: string;
  readonly enter: (t: CaseContext) => Promise<Talking>;
  /** What wait() comes to, in the end. */
  readonly end: (running: Talking) => Promise<unknown>;
  readonly over: boolean;
  /** What is left of its output can be read. */
  readonly readable: boolean;
}

const states: Readonly<Record<string, State>> = {
  running: {
    title: 'a program that runs',
    enter: async (t) => {
      const running = await begin(t, 'out:ready\\n', 'eof', 'exit:0');
      await readLine(running.stdout);
      return running;
    },
    end: async (running) => {
      running.stdin.end();
      await running.wait().catch(() => undefined);
    },
    over: false,
    readable: false,
  },
  exited: {
    title: 'a program that exited',
    enter: async (t) => {
      const running = await begin(t, 'out:left');
      await running.wait();
      return running;
    },
    end: async (running) => assert.equal((await running.wait()).exitCode, 0),
    over: true,
    readable: true,
  },
  failed: {
    title: 'a program that failed',
    enter: async (t) => {
      const running = await begin(t, 'out:left', 'exit:3');
      await rejection(running.wait(), CommandExitError);
      return running;
    },
    end: async (running) => assert.equal((await rejection(running.wait(), CommandExitError)).exitCode, 3),
    over: true,
    readable: true,
  },
  killed: {
    title: 'a program that was killed by a signal',
    enter: async (t) => {
      const running = await begin(t, 'out:left', 'forever');
      running.kill('SIGKILL');
      await rejection(running.wait(), CommandExitError);
      return running;
    },
    end: async (running) => assert.equal((await rejection(running.wait(), CommandExitError)).signal, 'SIGKILL'),
    over: true,
    readable: false,
  },
  aborted: {
    title: 'a program that was aborted',
    enter: async (t) => {
      const running = await begin(t, 'forever');
      await running.abort();
      return running;
    },
    end: (running) => rejection(running.wait(), CommandAbortedError),
    over: true,
    readable: false,
  },
  disposed: {
    title: 'a program that was disposed',
    enter: async (t) => {
      const running = await begin(t, 'forever');
      running[Symbol.dispose]();
      // Without sync-reap it is over when the event loop turns.
      await rejection(running.wait(), CommandAbortedError);
      return running;
    },
    end: (running) => rejection(running.wait(), CommandAbortedError),
    over: true,
    readable: false,
  },
};

interface Operation {
  readonly title: string;
  readonly why: string;
  readonly act: (running: Talking, state: State) => Promise<void>;
}

const operations: Readonly<Record<string, Operation>> = {
  wait: {
    title: 'waiting twice gives one promise',
    why: 'Callers wait in several places, and late.',
    act: (running, { over, end }) => {
      assert.equal(running.wait(), running.wait());
      return over ? end(running).then(() => undefined) : Promise.resolve();
    },
  },
  kill: {
    title: 'a signal is sent if it runs, and otherwise not',
    why: 'A number that was given to a stranger must not be signalled.',
    act: (running, { over }) => {
      assert.equal(running.kill('SIGCONT'), !over);
      return Promise.resolve();
    },
  },
  abort: {
    title: 'abort() resolves, and it is over',
    why: 'Cleaning up must not depend on what happened before.',
    act: async (running, { over }) => {
      await running.abort();
      await running.abort({ killDelay: 0 });
      if (!over) await rejection(running.wait(), CommandAbortedError);
    },
  },
  write: {
    title: 'writing and ending stdin is no error that nobody catches',
    why: 'The program can be gone at any time.',
    act: async (running) => {
      running.stdin.write('text\n');
      running.stdin.end('end');
      running.stdin.end();
      await new Promise((resolve) => setImmediate(resolve));
    },
  },
  read: {
    title: 'reading stdout comes to an end, with what was written before',
    why: 'A reader must be released whatever becomes of the program.',
    act: async (running, { readable }) => {
      running.stdin.end();
      const text = await readRest(running.stdout).catch((error: unknown) => {
        // What was destroyed says so in Node's way.
        assert.match(String(Reflect.get(error as object, 'code')), /^(ERR_STREAM|ABORT_ERR)/);
        return '';
      });
      if (readable) assert.equal(text, 'left');
    },
  },
  lines: {
    title: 'lines come to an end, and tell of a bad end',
    why: 'As for reading.',
    act: async (running) => {
      running.stdin.end();
      const loop = async (): Promise<number> => {
        let count = 0;
        for await (const line of running.lines()) count += line.length;
        return count;
      };
      const [lines, waited] = await Promise.allSettled([loop(), running.wait()]);
      assert.equal(lines.status, waited.status);
    },
  },
  dispose: {
    title: 'it can be disposed, in both ways, in any order',
    why: '`using` and `finally` come together.',
    act: async (running, { over }) => {
      running[Symbol.dispose]();
      await running[Symbol.asyncDispose]();
      running[Symbol.dispose]();
      assert.ok(running.stdin.destroyed && running.stdout.destroyed);
      if (!over) await rejection(running.wait(), CommandAbortedError);
    },
  },
};

export const stateCases = group(
  'state',
  {},
  Object.entries(states).flatMap(([stateId, state]) =>
    Object.entries(operations).map(([operationId, operation]) => ({
      id: `${stateId}.${operationId}`,
      title: `${state.title}: ${operation.title}`,
      why: operation.why,
      async run(t: CaseContext) {
        const running = await state.enter(t);
        await operation.act(running, state);
        await state.end(running);
        assert.equal(running.kill(), false);
        await running[Symbol.asyncDispose]();
      },
    })),
  ),
);
