/** What others see of a command: events, messages, texts; and that no secret is among it. */
import * as assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { CommandExitError, secret, type ErrorEvent, type ExitEvent, type StartEvent } from '@vircommand/core';
import type { CaseContext } from '../types';
import { group, nulParts, rejection } from './define';

interface Seen {
  readonly start: StartEvent[];
  readonly exit: ExitEvent[];
  readonly error: ErrorEvent[];
}

/** The events of commands whose text has a word; others may run in this process, too. */
function watch(t: CaseContext, word: string): Seen {
  const seen: Seen = { start: [], exit: [], error: [] };
  for (const name of ['start', 'exit', 'error'] as const) {
    const listener = (event: unknown): void => {
      const { command } = event as StartEvent;
      if (command.includes(word)) (seen[name] as unknown[]).push(event);
    };
    subscribe(`vircommand:${name}`, listener);
    t.cleanup(() => void unsubscribe(`vircommand:${name}`, listener));
  }
  return seen;
}

export const eventCases = group('events', {}, [
  {
    id: 'good',
    title: 'a run is told by a start event and an exit event, without its output',
    why: 'Tracing sees every program that an application starts.',
    twin: true,
    async run(t, run) {
      const seen = watch(t, 'conformance-event');
      const result = await run(t.helper('out:pri\\0166ate', 'args', 'conformance-event').setOutputBuffer());
      assert.deepEqual([seen.start.length, seen.exit.length, seen.error.length], [1, 1, 0]);
      assert.deepEqual(seen.start[0], { command: result.command, backend: t.backend.name, pid: result.pid });
      const [exit] = seen.exit;
      assert.ok(exit !== undefined && !('stdout' in exit.result));
      assert.equal(exit.result.exitCode, 0);
      assert.ok(!inspect(exit).includes('private'));
    },
  },
  {
    id: 'bad',
    title: 'a run that fails is told by an exit event and an error event',
    why: 'Failures are what one looks for.',
    twin: true,
    async run(t, run) {
      const seen = watch(t, 'conformance-event');
      const error = await rejection(run(t.helper('exit:3', 'args', 'conformance-event')), CommandExitError);
      assert.deepEqual([seen.start.length, seen.exit.length, seen.error.length], [1, 1, 1]);
      assert.equal(seen.exit[0]?.result.exitCode, 3);
      assert.equal(seen.error[0]?.error, error);
    },
  },
  {
    id: 'not-started',
    title: 'a start that fails is told by an error event only',
    why: 'Nothing started, and nothing ended.',
    twin: true,
    async run(t, run) {
      const seen = watch(t, 'conformance-event');
      await t.rejectsStart(run(new t.Command('/no/such/conformance-event')), { stage: 'exec', code: 'ENOENT' });
      assert.deepEqual([seen.start.length, seen.exit.length, seen.error.length], [0, 0, 1]);
    },
  },
]);

const token = 'tok3n-of-the-conformance-suite';

export const secretCases = group('secrets', {}, [
  {
    id: 'reach',
    title: 'a secret reaches the program as an argument, in the environment and as its input',
    why: 'A mask that reaches the program is a wrong password.',
    twin: true,
    async run(t, run) {
      const inArguments = t.helper('args', 'a').addArg(secret(token)).addArgPair('--token', secret(token));
      const { stdout } = await run(inArguments.setOutputBuffer());
      assert.deepEqual(nulParts(stdout), ['a', token, `--token=${token}`]);
      const asInput = await run(t.helper('cat').setInputBuffer(secret(token)).setOutputBuffer());
      assert.equal(asInput.stdout, token);
    },
  },
  {
    id: 'reach-environment',
    title: 'a secret reaches the program in the environment',
    why: 'As above.',
    needs: ['posix'],
    async run(t) {
      const { stdout } = await t.helper('env').addEnvPair('TOKEN', secret(token)).setOutputBuffer().run();
      assert.deepEqual(nulParts(stdout), [`TOKEN=${token}`]);
    },
  },
  {
    id: 'hidden',
    title: 'a secret is in no text, error, event or result',
    why: 'Logs are read by more people than passwords are meant for.',
    twin: true,
    async run(t, run) {
      const shown: unknown[] = [];
      const seen = watch(t, 'conformance-secret');
      const command = t
        .helper('exit:3', 'conformance-secret')
        .addArg(secret(token))
        .addEnvPair('TOKEN', secret(token))
        .setInputBuffer(secret(token));
      const error = await rejection(run(command), CommandExitError);
      shown.push(command.toString(), command.toStringFull({ lineBreaks: true }), command.getArgList());
      shown.push(error, error.message, error.stack, error.result, JSON.stringify(error), seen);
      const missing = new t.Command('/no/such/conformance-secret').addArg(secret(token)).addEnvPair('T', secret(token));
      shown.push(await t.rejectsStart(run(missing), { stage: 'exec', code: 'ENOENT' }), seen);
      for (const thing of shown) {
        assert.ok(
          !inspect(thing, { depth: 9, showHidden: true, maxStringLength: null }).includes(token),
          inspect(thing),
        );
      }
      assert.ok(error.message.includes('***'));
    },
  },
  {
    id: 'places',
    title: 'the plan tells where its secrets are',
    why: 'Whoever writes a plan anywhere, a recorder for instance, has to mask them.',
    async run(t) {
      const command = t
        .helper('args', 'plain')
        .addArg(secret(token))
        .addEnvPair('A', 'a')
        .addEnvPair('B', secret(token));
      const plan = await t.planOf(command);
      assert.deepEqual(
        plan.secret.argv.map((at) => plan.argv[at]),
        [token],
      );
      assert.deepEqual(plan.secret.env, ['B']);
      assert.ok(!plan.text.includes(token));
    },
  },
]);

export const knowledgeCases = group('result', {}, [
  {
    id: 'fields',
    title: 'a result says how the run went',
    why: 'Every caller finds the same facts, whatever the backend.',
    twin: true,
    async run(t, run) {
      const command = t.helper('out:x');
      const result = await run(command.setOutputBuffer());
      assert.equal(result.command, command.toString());
      const { exitCode, signal, timedOut, aborted, outputComplete, ended } = result;
      assert.deepEqual(
        { exitCode, signal, timedOut, aborted, outputComplete, ended },
        { exitCode: 0, signal: undefined, timedOut: false, aborted: false, outputComplete: true, ended: 'none' },
      );
      assert.ok(result.durationMs >= 0);
    },
  },
  {
    id: 'unsupported',
    title: 'what no backend knows yet of a result is undefined, and present',
    why: 'Callers can write the same code for every backend.',
    async run(t) {
      const result = await t.helper('exit:0').run();
      for (const name of ['coreDumped', 'usage', 'pid', 'stdout', 'stderr']) assert.ok(name in result, name);
    },
  },
]);
