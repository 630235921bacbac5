/** Programs that are to end with this process. */
import * as assert from 'node:assert/strict';
import { CommandAbortedError, type RunningCommand } from '@vircommand/core';
import { children } from '../leaks';
import type { CaseContext } from '../types';
import { group, readLine, readRest, rejection, type RunAndWait } from './define';
import { started } from './endings';

/** A program that is to end with this process, and the listeners of this process's exit that came with it. */
async function endingWithParent(
  t: CaseContext,
): Promise<{ readonly running: RunningCommand<'pipe'>; readonly added: readonly NodeJS.ExitListener[] }> {
  // What a backend listens for with every program says nothing of this one.
  const other = await started(t, ['out:ready\\n', 'forever']);
  const listeners = addedFromNow();
  const command = t.helper('out:ready\\n', 'forever').setOutputFd('pipe').rawStatus();
  const running = await command.runAsync({ killOnParentExit: true });
  await readLine(running.stdout);
  const added = listeners();
  await other.abort();
  return { running, added };
}

/** Asks for the listeners of this process's exit that are new since then. */
function addedFromNow(): () => NodeJS.ExitListener[] {
  const before = new Set(process.listeners('exit'));
  return () => process.listeners('exit').filter((listener) => !before.has(listener));
}

/** For a case that removes all: those of others are put back after it. */
function keepListeners(t: CaseContext): void {
  const before = process.rawListeners('exit') as NodeJS.ExitListener[];
  t.cleanup(() => {
    const left = process.rawListeners('exit');
    for (const listener of before) if (!left.includes(listener)) process.on('exit', listener);
  });
}

const noListener = 'the backend has no listener of this process’s exit';

/** That the kernel was told to kill the program with its parent: only the program itself can see that. */
async function checkDeathSignal(t: CaseContext, run: RunAndWait, killOnParentExit: true | 'guaranteed'): Promise<void> {
  if (t.subject.programs === 'helper-only') t.notChecked('needs setpriv(1)');
  const { exitCode, stdout } = await run(
    new t.Command('/bin/sh', ['-c', 'exec setpriv --dump']).addEnvPassCommon().setOutputBuffer(),
    { check: false, killOnParentExit },
  );
  const signal = /^Parent death signal: (.*)$/m.exec(stdout)?.[1];
  // BusyBox has one that does not tell.
  if (exitCode !== 0 || signal === undefined) t.notChecked('needs setpriv(1) of util-linux');
  assert.equal(signal, 'KILL', 'the kernel’s signal at the end of the parent');
}

export const parentExitCases = group('parent-exit', {}, [
  {
    id: 'normal',
    title: 'a program that is to end with its parent is killed when the parent exits',
    why: 'A helper that outlives the application that started it is nobody’s.',
    requires: ['kill-on-parent-exit'],
    needs: ['any-program'],
    async run(t, run) {
      const { running, added } = await endingWithParent(t);
      if (added.length === 0) {
        await running.abort();
        // A program elsewhere can end with the connection, and one of this machine by the kernel.
        if (!t.has('local-pid')) t.notChecked(noListener);
        assert.ok(t.has('parent-death-signal'), noListener);
        return checkDeathSignal(t, run, true);
      }
      for (const listener of added) listener(0);
      const { signal } = await running.wait();
      assert.equal(signal, 'SIGKILL');
    },
  },
  {
    id: 'at-once',
    title: 'a program that is to end with its parent is killed also when the parent exits in the turn of the start',
    why: 'The error that nobody catches can come right after the call.',
    requires: ['kill-on-parent-exit'],
    needs: ['linux', 'any-program'],
    async run(t) {
      const before = new Set(children());
      const added = addedFromNow();
      const controller = new AbortController();
      const command = t.helper('forever').rawStatus();
      const run = command.run({ killOnParentExit: true, signal: controller.signal });
      const inThisTurn = added();
      const begun = children().some((pid) => !before.has(pid));
      if (!begun || inThisTurn.length === 0) {
        controller.abort();
        await rejection(run, CommandAbortedError);
        if (!begun) t.notChecked('nothing is started in the turn of the call');
        if (t.has('parent-death-signal')) t.notChecked(noListener);
        assert.fail(noListener);
      }
      for (const listener of inThisTurn) listener(0);
      assert.equal((await run).signal, 'SIGKILL');
    },
  },
  {
    id: 'listeners-removed',
    title: 'a program that is to end with its parent is killed also if all listeners were removed before its start',
    why: 'Applications and their tests do that, and know of no listener but their own.',
    requires: ['kill-on-parent-exit'],
    needs: ['any-program'],
    async run(t) {
      keepListeners(t);
      const first = await endingWithParent(t);
      process.removeAllListeners('exit');
      const second = await endingWithParent(t);
      for (const listener of second.added) listener(0);
      if (second.added.length === 0) await second.running.abort();
      await first.running.abort();
      // Who never listens is ended in another way, which the case of the normal end looks at.
      if (first.added.length === 0) t.notChecked(noListener);
      assert.ok(second.added.length > 0, noListener);
      assert.equal((await second.running.wait()).signal, 'SIGKILL');
    },
  },
  {
    id: 'over',
    title: 'a program that ended before leaves no listener behind',
    why: 'A process that runs thousands of commands would collect them.',
    requires: ['kill-on-parent-exit'],
    needs: ['any-program'],
    twin: true,
    async run(t, run) {
      const before = process.listenerCount('exit');
      const { running, added } = await endingWithParent(t);
      for (let round = 0; round < 3; round++) await run(t.helper('exit:0'), { killOnParentExit: true });
      await running.abort();
      assert.equal(process.listenerCount('exit'), before);
      // Who never listens leaves none, which shows nothing.
      if (added.length === 0) t.notChecked(noListener);
    },
  },
  {
    id: 'death-signal',
    title: 'the kernel kills a program when its parent ends, however that ends',
    why: 'After SIGKILL nothing of the parent is left that could do it.',
    requires: ['parent-death-signal'],
    needs: ['linux', 'any-program'],
    twin: true,
    run: (t, run) => checkDeathSignal(t, run, 'guaranteed'),
  },
  {
    id: 'guaranteed',
    title: 'a program that the kernel ends with its parent lives as long as the parent',
    why: 'The kernel’s signal comes when the thread ends that started it: that must not be a thread that comes and goes.',
    requires: ['parent-death-signal'],
    async run(t, run) {
      const running = await t
        .helper('cat')
        .setInputFd('pipe')
        .setOutputFd('pipe')
        .runAsync({ killOnParentExit: 'guaranteed' });
      for (let round = 0; round < 3; round++) {
        await t.helper('exit:0').run();
        running.stdin.write('alive\n');
        assert.equal(await readLine(running.stdout), 'alive');
      }
      running.stdin.end();
      await readRest(running.stdout);
      assert.equal((await running.wait()).exitCode, 0);
      // Every other program lives as long, too.
      await checkDeathSignal(t, run, 'guaranteed');
    },
  },
]);
