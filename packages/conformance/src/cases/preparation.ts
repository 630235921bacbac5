/** What happens between the start and exec: the hook and the handshake. */
import * as assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { CommandAbortedError, CommandTimeoutError, CommandUsageError } from '@vircommand/core';
import type { CaseContext } from '../types';
import { group, readRest, rejection } from './define';

/** A module whose functions are hooks. */
function hooks(t: CaseContext): { readonly module: string; readonly note: string } {
  const directory = t.tempDir();
  const module = path.join(directory, 'hooks.cjs');
  writeFileSync(
    module,
    `const { readFileSync, writeFileSync } = require('node:fs');
exports.default = (data) => writeFileSync(data.note, data.text);
exports.pid = (data, context) => writeFileSync(data.note, String(context.pid));
exports.later = async (data) => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  writeFileSync(data.note, 'later');
};
exports.mask = () => { process.umask(0o77); };
exports.says = (data) => data;
exports.fails = () => { throw new Error('on purpose'); };
exports.rejects = async () => { throw new Error('on purpose'); };
exports.reads = (data) => readFileSync(data.missing);
`,
  );
  return { module, note: path.join(directory, 'note') };
}

export const hookCases = group('hook', { requires: ['hook'], needs: ['posix'] }, [
  {
    id: 'called',
    title: 'the hook is called with its data before the program runs',
    why: 'virCommandSetPreExecHook: the last preparations are made in the process itself.',
    twin: true,
    async run(t, run) {
      const { module, note } = hooks(t);
      const data = { note, text: 'grün "1"\n' };
      const { stdout } = await run(t.helper('out:ran').setPreExecHook({ module, data }).setOutputBuffer());
      assert.equal(stdout, 'ran');
      assert.equal(readFileSync(note, 'utf8'), data.text);
    },
  },
  {
    id: 'same-process',
    title: 'the hook runs in the process that becomes the program',
    why: 'What it changes of its process is for the program.',
    async run(t) {
      const { module, note } = hooks(t);
      const command = t.helper('pid').setPreExecHook({ module, export: 'pid', data: { note } }).setOutputBuffer();
      assert.equal((await command.run()).stdout.trim(), readFileSync(note, 'latin1'));
      const masked = t.helper('umask').setPreExecHook({ module: pathToFileURL(module), export: 'mask' });
      assert.equal((await masked.setOutputBuffer().run()).stdout, '0077\n');
    },
  },
  {
    id: 'awaited',
    title: 'a hook that returns a promise is waited for',
    why: 'The program must not run before it is prepared.',
    async run(t) {
      const { module, note } = hooks(t);
      const command = t.helper('cat').setPreExecHook({ module, export: 'later', data: { note } });
      await command.run();
      assert.equal(readFileSync(note, 'latin1'), 'later');
    },
  },
  {
    id: 'fails',
    title: 'a hook that throws, rejects or says a number other than 0 is a failed start, stage hook, and nothing runs',
    why: 'virCommand goes on for a positive result, and reports success for what fails later.',
    twin: true,
    async run(t, run) {
      const { module, note } = hooks(t);
      for (const data of [1, -1]) {
        const command = t.helper(`write-file:${note}`).setPreExecHook({ module, export: 'says', data });
        await t.rejectsStart(run(command), { stage: 'hook' });
      }
      await run(t.helper('exit:0').setPreExecHook({ module, export: 'says', data: 0 }));
      for (const name of ['fails', 'rejects']) {
        const command = t.helper(`write-file:${note}`).setPreExecHook({ module, export: name });
        await t.rejectsStart(run(command), { stage: 'hook' });
      }
      assert.equal(existsSync(note), false);
    },
  },
  {
    id: 'reason',
    title: 'the error of a hook that throws has its code, and a copy of it as the cause',
    why: 'Whoever acts on the code need not read the message.',
    twin: true,
    async run(t, run) {
      const { module, note } = hooks(t);
      const hook = { module, export: 'reads', data: { missing: note } };
      const error = await t.rejectsStart(run(t.helper('exit:0').setPreExecHook(hook)), {
        stage: 'hook',
        code: 'ENOENT',
      });
      assert.ok(error.cause instanceof Error);
      assert.equal(Reflect.get(error.cause, 'code'), 'ENOENT');
    },
  },
  {
    id: 'missing',
    title: 'a module or an export that is not there is a failed start, stage hook',
    why: 'A typing mistake must not skip the preparation.',
    async run(t) {
      const { module, note } = hooks(t);
      const program = (): ReturnType<CaseContext['helper']> => t.helper(`write-file:${note}`);
      await t.rejectsStart(program().setPreExecHook({ module: '/no/such/module.cjs' }).run(), { stage: 'hook' });
      await t.rejectsStart(program().setPreExecHook({ module, export: 'none' }).run(), { stage: 'hook' });
      assert.equal(existsSync(note), false);
    },
  },
  {
    id: 'not-in-output',
    title: 'the streams of the program are untouched by the hook',
    why: 'What is captured is the program’s.',
    async run(t) {
      const { module, note } = hooks(t);
      const command = t.helper('cat', 'err:e').setPreExecHook({ module, data: { note, text: 'x' } });
      const { stdout, stderr } = await command.setInputBuffer('in').setOutputBuffer().setErrorBuffer().run();
      assert.deepEqual([stdout, stderr], ['in', 'e']);
    },
  },
]);

export const handshakeCases = group('handshake', { requires: ['handshake'], needs: ['posix'] }, [
  {
    id: 'held',
    title: 'a program is held before exec until it is told to go on',
    why: 'virCommandRequireHandshake: the caller labels files and sets up cgroups for a process that does nothing yet.',
    async run(t) {
      const note = path.join(t.tempDir(), 'note');
      const command = t.helper(`write-file:${note}`, 'out:ran').requireHandshake().setOutputFd('pipe');
      const running = await command.runAsync();
      await running.handshakeWait();
      assert.equal(existsSync(note), false);
      if (running.pid !== undefined) assert.ok(t.alive(running.pid));
      await running.handshakeNotify();
      assert.equal(await readRest(running.stdout), 'ran');
      assert.equal((await running.wait()).exitCode, 0);
      assert.ok(existsSync(note));
    },
  },
  {
    id: 'buffers',
    title: 'buffers work with a handshake',
    why: 'They are fed and read once the program is there.',
    async run(t) {
      const command = t.helper('cat').requireHandshake().setInputBuffer('in').setOutputBuffer().doAsyncIo();
      const running = await command.runAsync();
      await running.handshakeWait();
      await running.handshakeNotify();
      assert.equal((await running.wait()).stdout, 'in');
    },
  },
  {
    id: 'exec-fails',
    title: 'a program that cannot be executed fails when it is told to go on, stage exec',
    why: 'Both, whoever notifies and whoever waits, must know.',
    async run(t) {
      const running = await new t.Command('/no/such/program').requireHandshake().runAsync();
      await running.handshakeWait();
      await t.rejectsStart(running.handshakeNotify(), { stage: 'exec', code: 'ENOENT' });
      await t.rejectsStart(running.wait(), { stage: 'exec', code: 'ENOENT' });
    },
  },
  {
    id: 'preparation-fails',
    title: 'a preparation that fails before is a failed start: nobody waits for ever',
    why: '"Child quit during startup handshake."',
    requires: ['hook'],
    async run(t) {
      const { module } = hooks(t);
      const command = t.helper('exit:0').requireHandshake().setPreExecHook({ module, export: 'fails' });
      const whole = async (): Promise<void> => {
        const running = await command.runAsync();
        await running.handshakeWait();
      };
      await t.rejectsStart(whole(), { stage: 'hook' });
    },
  },
  {
    id: 'aborted',
    title: 'a held program can be aborted, and never runs',
    why: 'The caller’s own preparations may fail.',
    async run(t) {
      const note = path.join(t.tempDir(), 'note');
      const running = await t.helper(`write-file:${note}`).requireHandshake().runAsync({ killDelay: 100 });
      await running.handshakeWait();
      await running.abort();
      await rejection(running.wait(), CommandAbortedError);
      assert.equal(existsSync(note), false);
    },
  },
  {
    id: 'disposed',
    title: 'a held program is gone when it is disposed',
    why: 'virCommandFree closes the handshake’s ends, and the child dies.',
    async run(t) {
      const note = path.join(t.tempDir(), 'note');
      const running = await t.helper(`write-file:${note}`).requireHandshake().runAsync();
      running[Symbol.dispose]();
      await running.wait().catch(() => undefined);
      assert.equal(existsSync(note), false);
    },
  },
  {
    id: 'deadline',
    title: 'a deadline comes while a program is held, too',
    why: 'Whoever forgets to notify must not wait for ever.',
    async run(t) {
      // On a slow machine it comes before the program is held.
      const whole = async (): Promise<void> => {
        const running = await t.helper('exit:0').requireHandshake().runAsync({ timeout: 200, killDelay: 0 });
        await running.wait();
      };
      await rejection(whole(), CommandTimeoutError);
    },
  },
  {
    id: 'misuse',
    title: 'a handshake without runAsync(), or one that nobody asked for, is a usage error',
    why: 'run() would wait for a program that waits for the caller.',
    async run(t) {
      await rejection(t.helper('exit:0').requireHandshake().run(), CommandUsageError);
      assert.equal(t.starts, 0);
      const running = await t.helper('eof').setInputFd('pipe').runAsync();
      await rejection(running.handshakeWait(), CommandUsageError);
      await rejection(running.handshakeNotify(), CommandUsageError);
      running.stdin.end();
      await running.wait();
    },
  },
]);
