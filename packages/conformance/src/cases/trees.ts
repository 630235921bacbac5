/** Sessions, process groups, and ends that reach every descendant. */
import * as assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { CommandAbortedError, CommandTimeoutError, type Command } from '@vircommand/core';
import { openUnnamedPipe } from '../pipe';
import type { CaseContext } from '../types';
import { group, readLine, readRest, rejection, words, type RunAndWait } from './define';
import { endSleeper } from './endings';

/** Fields of our own /proc/self/stat: process group and session. */
function own(): { readonly group: number; readonly session: number } {
  const text = readFileSync('/proc/self/stat', 'latin1');
  const [, , groupId = '', session = ''] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { group: Number(groupId), session: Number(session) };
}

/** What the `session` instruction writes. */
function parsed(line: string): Record<'pid' | 'group' | 'session' | 'parent', number> {
  const [pid = NaN, groupId = NaN, session = NaN, parent = NaN] = words(line).map(Number);
  return { pid, group: groupId, session, parent };
}

export const groupCases = group('group', { needs: ['linux'] }, [
  {
    id: 'session',
    title: 'a program can have a session of its own',
    why: 'It survives the terminal, and Ctrl-C does not reach it.',
    requires: ['session'],
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('session').setSession().setOutputBuffer());
      const seen = parsed(stdout);
      assert.deepEqual([seen.group, seen.session], [seen.pid, seen.pid]);
    },
  },
  {
    id: 'same-session',
    title: 'a program that says nothing stays in the session of its parent',
    why: 'Ctrl-C at the terminal must end what the user sees running.',
    requires: ['local-pid'],
    async run(t) {
      const { stdout } = await t.helper('session').setOutputBuffer().run();
      assert.equal(parsed(stdout).session, own().session);
    },
  },
  {
    id: 'own',
    title: 'a program can have a process group of its own in the same session',
    why: 'Shells do so for each job.',
    requires: ['process-group'],
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('session').setProcessGroup().setOutputBuffer());
      const seen = parsed(stdout);
      assert.equal(seen.group, seen.pid);
      assert.notEqual(seen.session, seen.pid);
    },
  },
  {
    id: 'parents',
    title: 'a program can be kept in the process group of its parent',
    why: 'What is signalled together must be in one group.',
    requires: ['process-group'],
    async run(t) {
      const seen = parsed((await t.helper('session').setProcessGroup(false).setOutputBuffer().run()).stdout);
      assert.notEqual(seen.group, seen.pid);
      if (t.has('local-pid')) assert.equal(seen.group, own().group);
    },
  },
  {
    id: 'parent',
    title: 'the parent of the program is this process',
    why: 'A wrapper in between would get the signals, the exit status and the blame.',
    requires: ['local-pid'],
    async run(t) {
      assert.equal(parsed((await t.helper('session').setOutputBuffer().run()).stdout).parent, process.pid);
    },
  },
]);

/** Every process that has the mark in its environment, and so comes from the program that was given it. */
function livingWith(t: CaseContext, mark: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || !t.alive(pid)) return [];
    try {
      return readFileSync(`/proc/${name}/environ`, 'latin1').includes(mark) ? [pid] : [];
    } catch {
      return []; // It ended meanwhile, or belongs to another user.
    }
  });
}

let marks = 0;

/** A program in a shell, with all its output captured, and a way to see what came from it. */
function family(
  t: CaseContext,
  script: string,
): { readonly command: Command<'text'>; readonly living: () => number[] } {
  const mark = `CASE_MARK=${process.pid}-${threadId}-${marks++}.`;
  const command = new t.Command('/bin/sh', ['-c', script]).addEnvPass('PATH').addEnvString(mark).setOutputBuffer();
  const living = (): number[] => livingWith(t, mark);
  t.cleanup(() => {
    for (const pid of living()) process.kill(pid, 'SIGKILL');
  });
  return { command, living };
}

/** What a deadline must end, whole: it writes `ready` when all of it is there. */
interface Family {
  readonly title: string;
  readonly why: string;
  readonly script: string;
  /** What must have ended the program itself. */
  readonly signal?: 'SIGKILL';
  /** A program that not every machine has. */
  readonly uses?: string;
}

const families: Readonly<Record<string, Family>> = {
  deaf: {
    title: 'a deadline ends a program that ignores SIGTERM, and its child',
    why: 'A hanging build ignores everything.',
    script: 'trap "" TERM; echo ready; sleep 60',
    signal: 'SIGKILL',
  },
  'left-group': {
    title: 'a deadline ends a program that ignores SIGTERM and went into the process group of its parent',
    why: 'A signal to the group that it was given would reach nobody, and one to the group that it is in would reach us.',
    script: `trap "" TERM; exec perl -e '$| = 1; setpgrp(0, getpgrp(getppid())); print "ready\n"; sleep 60'`,
    signal: 'SIGKILL',
    uses: 'perl',
  },
  session: {
    title: 'a deadline ends a grandchild that ignores SIGTERM in a session of its own',
    why: 'Daemons leave the session, and many handle SIGTERM.',
    script: `trap "" TERM; setsid sh -c 'trap "" TERM; echo ready; sleep 60' & sleep 60`,
  },
  'double-fork': {
    title: 'a deadline ends a grandchild whose parent is gone',
    why: 'A double fork is how a process hides from its parent.',
    script: 'trap "" TERM; (sleep 60 & sleep 60 & echo ready) & wait; sleep 60',
  },
  'double-fork-session': {
    title: 'a deadline ends a grandchild in a session of its own whose parent is gone, and which holds the output',
    why: 'Whoever holds the output keeps the caller waiting.',
    script: `(setsid sh -c 'trap "" TERM; echo ready; sleep 60' &); sleep 60`,
  },
  stopped: {
    title: 'a deadline ends a descendant that is stopped',
    why: 'It handles no signal while it is stopped.',
    script: 'sleep 60 & kill -STOP $!; echo ready; wait',
  },
  storm: {
    title: 'a deadline ends two hundred descendants',
    why: 'A parallel build has as many.',
    script: 'i=0; while [ $i -lt 200 ]; do sleep 60 & i=$((i + 1)); done; echo ready; wait',
  },
  forking: {
    title: 'a deadline ends who forks, and leaves the session, all the time',
    why: 'Whoever is forked between the look and the signal would live on, and nobody would know whose it was.',
    script: 'echo ready; i=0; while [ $i -lt 500 ]; do setsid sleep 60 > /dev/null & i=$((i + 1)); done; wait',
  },
  'forked-last': {
    title: 'a deadline ends what the program forks as its last act',
    why: 'A cleanup that was started in a handler of SIGTERM is part of the tree, too.',
    script: 'trap "sleep 60 & exit 0" TERM; echo ready; while :; do sleep 0.01; done',
  },
  'left-last': {
    title: 'a deadline ends who left the session, and whom the program forked as its last act',
    why: 'The program is gone when he is looked for: only the output that he holds tells whose he is.',
    script: `exec perl -e '$| = 1; $SIG{TERM} = sub { system "setsid sleep 60 &"; exit 0 }; print "ready\n"; sleep 60'`,
    uses: 'perl',
  },
};

const familyCases = group(
  'tree',
  { requires: ['kill-tree', 'local-pid'], needs: ['linux', 'posix', 'any-program'] },
  Object.entries(families).map(([id, { title, why, script, signal, uses }]) => ({
    id: `deadline.${id}`,
    title,
    why,
    twin: 'sync-deadline' as const,
    async run(t: CaseContext, run: RunAndWait) {
      if (uses !== undefined) {
        const there = new t.Command(uses, ['-e', '0']);
        await there.run().catch(() => t.notChecked(`needs ${uses}`));
      }
      // A slow machine needs more time until all of it is there.
      for (let timeout = 150; ; timeout *= 4) {
        const { command, living } = family(t, script);
        const options = { timeout, killDelay: 100, drainDelay: 600_000 };
        const { result } = await rejection(run(command, options), CommandTimeoutError);
        await t.until('nobody of the tree is alive', () => living().length === 0);
        if (!String(result.stdout).includes('ready') && timeout < 10_000) continue;
        assert.deepEqual([result.stdout, result.ended, result.outputComplete], ['ready\n', 'tree', true]);
        if (signal !== undefined) assert.equal(result.signal, signal);
        return;
      }
    },
  })),
);

function opened(path: string): number | undefined {
  try {
    return openSync(path, 'w');
  } catch {
    return undefined;
  }
}

export const treeCases = [
  ...familyCases,
  ...group('tree', { requires: ['kill-tree'], needs: ['posix'] }, [
    {
      id: 'child',
      title: 'ending a program ends its children',
      why: 'A child that lives on holds the pipe, the port and the lock.',
      async run(t) {
        const running = await t.helper('sleeper', 'forever').setOutputFd('pipe').runAsync({ drainDelay: 60_000 });
        await readLine(running.stdout);
        await running.abort();
        const { result } = await rejection(running.wait(), CommandAbortedError);
        assert.equal(result.ended, 'tree');
        assert.equal(await readRest(running.stdout).catch(() => ''), '');
      },
    },
    {
      id: 'captured',
      title: 'no descendant holds the captured output when the tree was ended',
      why: 'The result says that the output is complete, and it is.',
      async run(t) {
        const command = t.helper('sleeper', 'sleeper', 'err:ready\\n', 'forever').setOutputBuffer().setErrorFd('pipe');
        const running = await command.doAsyncIo().runAsync({ drainDelay: 60_000 });
        await readLine(running.stderr);
        await running.abort();
        const { result } = await rejection(running.wait(), CommandAbortedError);
        assert.deepEqual([result.outputComplete, result.ended], [true, 'tree']);
      },
    },
    {
      id: 'other-session',
      title: 'ending a program ends a descendant that left its session',
      why: 'Daemons do; a signal to the group does not reach them.',
      async run(t) {
        const command = t.helper('sleeper:session', 'err:ready\\n', 'forever').setOutputBuffer().setErrorFd('pipe');
        const running = await command.doAsyncIo().runAsync({ drainDelay: 60_000 });
        await readLine(running.stderr);
        await running.abort();
        const { result } = await rejection(running.wait(), CommandAbortedError);
        assert.deepEqual([result.outputComplete, result.ended], [true, 'tree']);
      },
    },
    {
      id: 'without-pipes',
      title: 'ending a program ends a descendant that holds none of its streams',
      why: 'Nobody would miss it, and it would run for ever.',
      requires: ['local-pid'],
      async run(t) {
        const running = await t.helper('sleeper:detached', 'forever').setOutputFd('pipe').runAsync();
        const pid = Number(await readLine(running.stdout));
        t.cleanup(() => endSleeper(pid));
        assert.ok(t.alive(pid));
        await running.abort();
        await t.until('the descendant is gone', () => !t.alive(pid));
      },
    },
    {
      id: 'orphan',
      title: 'ending a program with a session of its own ends a grandchild whose parent is gone',
      why: 'A double fork is how a process hides from its parent.',
      requires: ['session', 'local-pid'],
      needs: ['any-program'],
      async run(t) {
        const script = 'echo "$(sleep 60 > /dev/null & echo $!)"; exec sleep 60';
        const running = await new t.Command('sh', ['-c', script]).setSession().setOutputFd('pipe').runAsync();
        const pid = Number(await readLine(running.stdout));
        t.cleanup(() => endSleeper(pid));
        assert.ok(t.alive(pid));
        await running.abort();
        await t.until('the grandchild is gone', () => !t.alive(pid));
      },
    },
    {
      id: 'orphan-with-pipe',
      title: 'ending a program ends a grandchild whose parent is gone and which holds its output',
      why: 'Without it the output would never come to its end.',
      needs: ['any-program'],
      async run(t) {
        const script = '(sleep 60 &); echo ready >&2; exec sleep 60';
        const command = new t.Command('sh', ['-c', script]).setOutputBuffer().setErrorFd('pipe').doAsyncIo();
        const running = await command.runAsync({ drainDelay: 60_000 });
        await readLine(running.stderr);
        await running.abort();
        assert.equal((await rejection(running.wait(), CommandAbortedError)).result.outputComplete, true);
      },
    },
    {
      id: 'redirected',
      title: 'ending a program that has put other files in the place of its output ends who holds that output',
      why: 'The pipes of a run are those that it was started with.',
      needs: ['linux', 'any-program'],
      async run(t) {
        const say = 'exec 3>&2 > /dev/null 2>&1; (echo ready >&3); exec 3>&-';
        const script = `read _; (setsid sleep 60 &); ${say}; sleep 60`;
        const command = new t.Command('sh', ['-c', script]).setInputFd('pipe').setOutputBuffer().setErrorFd('pipe');
        const running = await command.doAsyncIo().runAsync({ drainDelay: 60_000 });
        running.stdin.end('\n');
        await readLine(running.stderr);
        await running.abort();
        assert.equal((await rejection(running.wait(), CommandAbortedError)).result.outputComplete, true);
      },
    },
    {
      id: 'stranger',
      title: 'ending a program that has put a pipe of others in the place of its output ends none of those',
      why: 'In a container that is the log of all, as by exec >/proc/1/fd/1.',
      requires: ['local-pid'],
      needs: ['linux', 'any-program'],
      async run(t) {
        const log = openUnnamedPipe();
        for (const fd of [log.read, log.write]) t.cleanup(() => closeSync(fd));
        // By a shell of its own: the one that says it has another stdout meanwhile.
        const say = '(echo ready >&2)';
        const script = `read _; exec > /proc/${process.pid}/fd/${log.write}; ${say}; exec sleep 60`;
        const command = new t.Command('sh', ['-c', script]).setInputFd('pipe').setOutputFd('pipe').setErrorFd('pipe');
        const running = await command.runAsync();
        running.stdin.end('\n');
        await readLine(running.stderr);
        const sleeper = new t.Command('sleep', ['60']).setOutputFd(log.write).rawStatus();
        const stranger = await sleeper.runAsync();
        // It is not one that only has a copy of everything before it executes its program.
        await t.until('it sleeps', () => readFileSync(`/proc/${stranger.pid}/comm`, 'latin1') === 'sleep\n');
        await running.abort();
        await rejection(running.wait(), CommandAbortedError);
        stranger.kill('SIGUSR1');
        assert.equal((await stranger.wait()).signal, 'SIGUSR1', 'a stranger was ended');
      },
    },
    {
      id: 'given-pipe',
      title: 'ending a program of another user ends nobody of this user who was given its output',
      why: 'It can send that through a socket to any service, and would have us end whom it may not signal itself.',
      requires: ['uid-gid', 'local-pid'],
      needs: ['linux', 'root', 'any-program'],
      async run(t) {
        const program = new t.Command('sh', ['-c', 'echo ready >&2; exec sleep 60']).setUid(65_534).setGid(65_534);
        const running = await program.setOutputBuffer().setErrorFd('pipe').doAsyncIo().runAsync({ drainDelay: 50 });
        await readLine(running.stderr);
        const output = opened(`/proc/${running.pid}/fd/1`);
        if (output === undefined) return t.notChecked('its output is no pipe, which could be opened');
        const sleeper = new t.Command('sleep', ['60']).setOutputFd(output).rawStatus();
        const service = await sleeper.runAsync().finally(() => {
          closeSync(output);
        });
        await t.until('it sleeps', () => readFileSync(`/proc/${service.pid}/comm`, 'latin1') === 'sleep\n');
        await running.abort();
        const { result } = await rejection(running.wait(), CommandAbortedError);
        service.kill('SIGUSR1');
        assert.equal((await service.wait()).signal, 'SIGUSR1', 'the service was ended');
        assert.notEqual(result.ended, 'tree');
      },
    },
    {
      id: 'stopped',
      title: 'ending a program ends a descendant that is stopped',
      why: 'It handles no SIGTERM while it is stopped.',
      requires: ['local-pid'],
      async run(t) {
        const running = await t.helper('sleeper', 'forever').setOutputFd('pipe').runAsync({ killDelay: 600_000 });
        const pid = Number(await readLine(running.stdout));
        t.cleanup(() => endSleeper(pid));
        process.kill(pid, 'SIGSTOP');
        await running.abort();
        await t.until('the descendant is gone', () => !t.alive(pid));
      },
    },
    {
      id: 'stubborn',
      title: 'a descendant that ignores SIGTERM gets SIGKILL, also where the program ended politely',
      why: 'The program’s own end must not be the end of the grace period for the rest.',
      needs: ['any-program'],
      async run(t) {
        const script = '(trap "" TERM; echo ready >&2; exec sleep 60) & exec sleep 60';
        const command = new t.Command('sh', ['-c', script]).setOutputBuffer().setErrorFd('pipe').doAsyncIo();
        const running = await command.runAsync({ killDelay: 40, drainDelay: 60_000 });
        await readLine(running.stderr);
        await running.abort();
        const { result } = await rejection(running.wait(), CommandAbortedError);
        assert.deepEqual([result.signal, result.outputComplete], ['SIGTERM', true]);
      },
    },
    {
      id: 'disposed',
      title: 'disposing a program kills its descendants, too',
      why: 'As for abort().',
      requires: ['local-pid'],
      async run(t) {
        const running = await t.helper('sleeper', 'forever').setOutputFd('pipe').runAsync();
        const pid = Number(await readLine(running.stdout));
        t.cleanup(() => endSleeper(pid));
        running[Symbol.dispose]();
        await t.until('the descendant is gone', () => !t.alive(pid));
      },
    },
    {
      id: 'kill-is-not-abort',
      title: 'kill() reaches the program only',
      why: 'It is a message to one process.',
      requires: ['local-pid'],
      async run(t) {
        const running = await t.helper('sleeper', 'forever').setOutputFd('pipe').rawStatus().runAsync();
        const pid = Number(await readLine(running.stdout));
        t.cleanup(() => endSleeper(pid));
        running.kill('SIGKILL');
        assert.equal((await running.wait()).signal, 'SIGKILL');
        assert.ok(t.alive(pid), 'the descendant was ended');
        running.stdout.destroy();
      },
    },
  ]),
];
