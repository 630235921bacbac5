import { expect } from 'chai';
import { CommandExitError, CommandUsageError, secret } from '@vircommand/core';
import { startError, type LaunchPlan } from '@vircommand/core/backend';
import { rejection, thrown } from './caught';
import { fake } from './fake-backend';

/** What a polluted prototype may hold: the names of everything that can be left out. */
const polluted: Record<string, unknown> = {
  ...Object.fromEntries(
    'uid gid groups umask nice affinity capabilities noNewPrivs limits coreScheduling selinuxLabel appArmorProfile'
      .split(' ')
      .map((name) => [name, 1]),
  ),
  ...{
    env: { EVIL: '1' },
    cwd: '/evil',
    argv0: 'evil',
    stdin: 'inherit',
    stdout: 'inherit',
    shell: true,
    file: '/evil',
  },
  ...{ input: 'evil', fd: 1, append: true, as: 9, closeInParent: true, memLock: 1, files: 1, soft: 1, hard: 1 },
  ...{ timeout: 1, killDelay: 0, drainDelay: 0, outputLimit: 1, total: 1, onExceed: 'truncate', encoding: 'latin1' },
  ...{
    killOnParentExit: true,
    check: false,
    rawStatus: true,
    handshake: true,
    daemon: true,
    pidFile: '/evil',
    once: true,
  },
  ...{ lineBreaks: true, stripPath: true, maxLength: 1, from: 'stderr', prefix: 'x', module: '/evil.js', clear: true },
  ...{ code: 'EVIL', cause: 'evil', path: '/evil', errno: -1, syscall: 'evil', backend: 'evil', get: 1, set: 1 },
  ...{ signal: 'evil', stderr: 'null', allow: ['CAP_KILL'], data: 'evil', export: 'evil', among: 1 },
};

function withPollution<T>(body: () => T): T {
  for (const [name, value] of Object.entries(polluted)) {
    // An assignment is what pollutes in practice: writable, enumerable, configurable.
    Reflect.set(Object.prototype, name, value);
  }
  try {
    return body();
  } finally {
    for (const name of Object.keys(polluted)) Reflect.deleteProperty(Object.prototype, name);
  }
}

const exits = (code: number) => fake((program) => program.write('stdout', 'é').write('stderr', 'why').exit(code));

describe('a polluted Object.prototype', () => {
  it('changes no plan', () => {
    const plans: LaunchPlan[] = [];
    const describe = (): LaunchPlan => {
      const made = exits(0);
      const command = new made.Command('prog', ['a'], { limits: { cpu: 5 }, stdout: 'text' })
        .addEnvPair('A', 'b')
        .addArgPair('c', secret('d'));
      command.passFd(5).setErrorFile('/e', {});
      command.runSync({ outputLimit: { stdout: 10 } });
      return made.plan;
    };
    plans.push(describe());
    // What assertions do under pollution is their business: they come after it.
    const seen = withPollution(() => {
      const plan = describe();
      plans.push(plan);
      const text = new (exits(0).Command)('/bin/prog', ['-a', 'b']).toStringFull({});
      return [plan.privileged.uid, plan.privileged.limits?.files, text];
    });
    expect(seen).to.deep.equal([undefined, undefined, '/bin/prog -a b']);
    expect(plans[1]).to.deep.equal(plans[0]);
    expect(plans[1]?.requires).to.include('limits').and.not.include('uid-gid');
  });

  it('changes no run', async () => {
    const made = exits(3);
    const run = withPollution(() =>
      new made.Command('prog', [], { stdout: 'text' }).run({ outputLimit: { stdout: 10 } }),
    );
    const error = await rejection(run, CommandExitError);
    expect(error).to.include({
      code: 'ERR_COMMAND_EXIT',
      exitCode: 3,
      stderrTail: 'why',
      backend: 'fake',
    });
    expect(error.result).to.include({ stdout: 'é', outputComplete: true });
  });

  it('makes no descriptor of an empty object, and no options of what was left out', async () => {
    const commands = withPollution(() => {
      const { Command } = fake();
      return [
        new Command('x').setOutputFd({} as never),
        new Command('x', [], { stdout: {} as never }),
        new Command('x', [], { stdin: {} as never }),
        new Command('x', [], { preExecHook: {} as never }),
        new Command('x', [], { coreScheduling: {} as never }),
        new Command('x', [], { limits: { cpu: {} as never } }),
        new Command('x', [], { passFds: [{} as never] }),
      ];
    });
    for (const command of commands) await rejection(command.run(), CommandUsageError);
  });

  it('changes no error', () => {
    const [error, start] = withPollution(() => {
      const made = fake();
      return [
        thrown(() => new made.Command('x').setUid(-1).runSync(), CommandUsageError),
        startError('exec', 'a sentence'),
      ] as const;
    });
    expect([error.code, error.backend, Object.hasOwn(error, 'cause')]).to.deep.equal([
      'ERR_COMMAND_USAGE',
      undefined,
      false,
    ]);
    expect([start.code, start.path, start.errno]).to.deep.equal(['ERR_COMMAND_START', undefined, undefined]);
  });

  it('keeps no secret from being one', () => {
    const hidden = withPollution(() => secret('hunter2'));
    expect([String(hidden), JSON.stringify({ hidden })]).to.deep.equal(['***', '{"hidden":"***"}']);
  });
});
