/** The backend contract itself, without core in between. */
import * as assert from 'node:assert/strict';
import { writeSync } from 'node:fs';
import { CommandStartError, isFeature, type ChildHandle, type LaunchPlan } from '@vircommand/core/backend';
import type { CaseContext } from '../types';
import { group, readLine, readRest, rejection } from './define';
import { endSleeper } from './endings';

/** A plan as a third party may hand it over: data, frozen to its depths. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(frozen);
  return Object.freeze(value);
}

/** Starts what the instructions say, with pipes for stdin and stdout. */
async function start(t: CaseContext, ...instructions: string[]): Promise<ChildHandle> {
  return t.start(
    await t.planOf(
      t
        .helper(...instructions)
        .setInputFd('pipe')
        .setOutputFd('pipe'),
    ),
  );
}

/** The stream that the plan asked for. */
function present<T>(stream: T | undefined): T {
  assert.ok(stream !== undefined, 'a pipe that the plan asks for is not there');
  return stream;
}

export const contractCases = group('contract', {}, [
  {
    id: 'declaration',
    title: 'a backend has a name, the version of the contract, and known features, each once',
    why: 'Core refuses what is not declared: a name that is mistyped is a feature that nobody can use.',
    run(t) {
      const { contract, name, features } = t.backend;
      assert.equal(contract, 1);
      assert.ok(typeof name === 'string' && name !== '');
      assert.ok(Array.isArray(features));
      assert.deepEqual(
        features.filter((feature) => !isFeature(feature)),
        [],
      );
      assert.equal(new Set(features).size, features.length);
      return Promise.resolve();
    },
  },
  {
    id: 'features-fixed',
    title: 'the features are frozen, can be cloned, and are the same list every time',
    why: 'They are compared, shown and sent elsewhere; code that asked once relies on the answer.',
    run(t) {
      const { features } = t.backend;
      assert.ok(Object.isFrozen(features));
      // The clone may be of another realm.
      assert.deepEqual(Array.from(structuredClone(Array.from(features))), Array.from(features));
      assert.deepEqual(Array.from(t.backend.features), Array.from(features));
      return Promise.resolve();
    },
  },
  {
    id: 'synchronous-part',
    title: 'startAndWaitSync() is there if sync is declared, and sync if its parts are',
    why: 'A declared feature without the function fails when it is used.',
    run(t) {
      assert.equal(typeof t.backend.startAndWaitSync === 'function' || !t.has('sync'), true);
      if (t.has('sync-deadline')) assert.ok(t.has('sync'));
      return Promise.resolve();
    },
  },
  {
    id: 'plan-is-data',
    title: 'a plan that went through JSON and is frozen starts the same program',
    why: 'Plans are recorded, sent and compared; a backend must neither change them nor expect more than data.',
    async run(t) {
      const command = t.helper('args', 'a b', '').addEnvPair('A', '1').setOutputFd('pipe');
      const plan = frozen(JSON.parse(JSON.stringify(await t.planOf(command))) as LaunchPlan);
      const handle = await t.start(plan);
      assert.equal(await readRest(present(handle.stdout)), 'a b\0\0');
      assert.equal((await handle.exited).exitCode, 0);
    },
  },
  {
    id: 'plan-again',
    title: 'one plan can be started any number of times',
    why: 'It describes a program, and holds nothing of a run.',
    async run(t) {
      const plan = await t.planOf(t.helper('out:x', 'exit:4').setOutputFd('pipe'));
      const handles = await Promise.all([t.start(plan), t.start(plan), t.start(plan)]);
      for (const handle of handles) {
        assert.equal(await readRest(present(handle.stdout)), 'x');
        assert.equal((await handle.exited).exitCode, 4);
      }
    },
  },
  {
    id: 'streams',
    title: 'a handle has the streams for which the plan says pipe, and no others',
    why: 'Core reads what is there, and waits for it.',
    async run(t) {
      const all = t.helper('exit:0').setInputFd('pipe').setOutputFd('pipe').setErrorFd('pipe');
      const first = await t.start(await t.planOf(all));
      for (const stream of [first.stdin, first.stdout, first.stderr]) present(stream).destroy();
      const second = await t.start(await t.planOf(t.helper('exit:0')));
      assert.deepEqual([second.stdin, second.stdout, second.stderr], [undefined, undefined, undefined]);
      await Promise.all([first.exited, second.exited]);
    },
  },
  {
    id: 'exit-before-end',
    title: 'exited settles although nobody has read the output, which can be read afterwards',
    why: 'The exit is a fact of its own; what was written before must not be thrown away with it.',
    async run(t) {
      const handle = await start(t, 'out:unread', 'exit:3');
      assert.equal((await handle.exited).exitCode, 3);
      assert.equal(await readRest(present(handle.stdout)), 'unread');
    },
  },
  {
    id: 'exit-with-held-pipe',
    title: 'exited settles although a descendant holds the pipes',
    why: 'A program that starts a daemon has ended all the same: who waits for the pipes waits for ever.',
    needs: ['posix'],
    async run(t) {
      const handle = await start(t, 'sleeper', 'exit:3');
      assert.equal((await handle.exited).exitCode, 3);
      endSleeper(Number(await readLine(present(handle.stdout))));
    },
  },
  {
    id: 'exit-status',
    title: 'an exit has a code or a signal, and says what else is known',
    why: 'One of the two is always undefined.',
    needs: ['posix'],
    async run(t) {
      const exited = await (await start(t, 'exit:9')).exited;
      assert.deepEqual([exited.exitCode, exited.signal], [9, undefined]);
      const killed = await (await start(t, 'kill:KILL')).exited;
      assert.deepEqual([killed.exitCode, killed.signal], [undefined, 'SIGKILL']);
      for (const status of [exited, killed]) {
        assert.equal(status.coreDumped === undefined, !t.has('core-dump-bit'));
        assert.equal(status.usage === undefined, !t.has('resource-usage'));
      }
    },
  },
  {
    id: 'signal-never-throws',
    title: 'signal() never throws: it says whether something was sent, and what it reached',
    why: 'It is called when things go wrong already.',
    async run(t) {
      const handle = await start(t, 'out:ready\\n', 'forever');
      await readLine(present(handle.stdout));
      assert.equal(handle.signal('SIGNONE' as 'SIGTERM', 'process').sent, false);
      assert.deepEqual(handle.signal('SIGCONT', 'process'), { sent: true, reached: 'process' });
      const { sent, reached } = handle.signal('SIGKILL', 'tree');
      assert.equal(sent, true);
      assert.ok(['process', 'group', 'tree'].includes(reached));
      if (!t.has('kill-tree')) assert.notEqual(reached, 'tree');
      await handle.exited;
      for (const target of ['process', 'tree'] as const) {
        assert.equal(handle.signal('SIGTERM', target).sent, false);
        assert.equal(handle.signal('SIGKILL', target).sent, false);
      }
    },
  },
  {
    id: 'dispose-kills',
    title: 'dispose() kills the program, closes the pipes, and can be called again',
    why: 'It is the last resort of everybody who holds a handle.',
    async run(t) {
      const handle = await start(t, 'out:ready\\n', 'forever');
      const [stdin, stdout] = [present(handle.stdin), present(handle.stdout)];
      await readLine(stdout);
      handle.dispose();
      handle.dispose();
      const { exitCode, signal } = await handle.exited;
      assert.equal(exitCode, undefined);
      if (process.platform !== 'win32') assert.equal(signal, 'SIGKILL');
      assert.ok(stdin.destroyed && stdout.destroyed);
      handle.dispose();
    },
  },
  {
    id: 'dispose-after',
    title: 'dispose() after the end is harmless, and does not change the status',
    why: 'Core disposes whatever happened.',
    async run(t) {
      const handle = await start(t, 'exit:6');
      await handle.exited;
      handle.dispose();
      handle.dispose();
      assert.equal((await handle.exited).exitCode, 6);
    },
  },
  {
    id: 'start-error',
    title: 'start() rejects with a CommandStartError, and nothing is left',
    why: 'Core adds the command; stage and code are the backend’s.',
    async run(t) {
      const plan = await t.planOf(new t.Command('/no/such/program').setInputFd('pipe').setOutputFd('pipe'));
      const error: unknown = await t.start(plan).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof Error);
      assert.deepEqual([Reflect.get(error, 'stage'), Reflect.get(error, 'code')], ['exec', 'ENOENT']);
    },
  },
  {
    id: 'start-never-throws',
    title: 'start() never throws: its promise tells what is wrong',
    why: 'Whoever starts several programs at once would lose those that run already.',
    async run(t) {
      const wrong = [new t.Command('/no/such/program'), new t.Command('conformance-none')];
      if (t.has('cwd')) wrong.push(t.helper('exit:0').setWorkingDirectory('/no/such/directory'));
      if (t.has('file-stdio')) wrong.push(t.helper('exit:0').setInputFile('/no/such/file'));
      for (const command of wrong) {
        const plan = await t.planOf(command);
        // What is thrown, and not by the promise, is no rejection and fails the case.
        await rejection(t.backend.start(plan), CommandStartError);
      }
    },
  },
  {
    id: 'descriptors-stay',
    title: 'the backend closes no descriptor of the plan',
    why: 'They are the caller’s, or core’s, which closes them once.',
    requires: ['fd-stdio'],
    async run(t) {
      const { read, write } = t.pipe();
      const plan = await t.planOf(t.helper('out:1').setOutputFd(write));
      const handle = await t.start(plan);
      await handle.exited;
      writeSync(write, '2');
      t.closeFd(write);
      assert.equal((await t.readAll(read)).toString(), '12');
    },
  },
  {
    id: 'concurrent-starts',
    title: 'starts that overlap give each caller his own program',
    why: 'Nothing of a start may be kept where the next one finds it.',
    async run(t) {
      const plans = await Promise.all(
        Array.from({ length: 20 }, (_, index) => t.planOf(t.helper(`out:${index}`).setOutputFd('pipe'))),
      );
      const handles = await Promise.all(plans.map((plan) => t.start(plan)));
      const texts = await Promise.all(handles.map((handle) => readRest(present(handle.stdout))));
      assert.deepEqual(
        texts,
        plans.map((_, index) => String(index)),
      );
      await Promise.all(handles.map((handle) => handle.exited));
    },
  },
]);
