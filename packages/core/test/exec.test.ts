import { closeSync, fstatSync, openSync } from 'node:fs';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect } from 'chai';
import { bindCommand, FEATURES, startError, type Backend } from '@vircommand/core/backend';
import { CommandStartError, CommandUsageError, UnsupportedFeatureError, type ErrorEvent } from '@vircommand/core';
import { thrown } from './caught';
import { fake } from './fake-backend';

describe('exec()', () => {
  it('asks the backend for this process to become the program; streams of which nothing is said stay its own', () => {
    const made = fake();
    expect(() => new made.Command('p', ['a']).setOutputFile('/f').setUid(1).exec()).to.throw('executed');
    const { stdin, stdout, stderr, group, requires } = made.plan;
    expect({ stdin, stdout, stderr, group }).to.deep.equal({
      stdin: { type: 'fd', fd: 0 },
      stdout: { type: 'file', path: '/f', mode: 'write' },
      stderr: { type: 'fd', fd: 2 },
      group: 'auto',
    });
    // Descriptors of which nothing is said need no feature.
    expect(requires).to.have.members(['file-stdio', 'uid-gid', 'exec']);
    expect(made.programs).to.have.length(0);
  });

  it('can have /dev/null, other descriptors, and stderr where stdout goes', () => {
    const made = fake();
    const { Command } = made;
    expect(() => new Command('p', [], { stdin: 'null', stdout: 5, stderr: 'stdout' }).exec()).to.throw('executed');
    expect([made.plan.stdin, made.plan.stdout, made.plan.stderr]).to.deep.equal([
      { type: 'null' },
      { type: 'fd', fd: 5 },
      { type: 'same-as-stdout' },
    ]);
    expect(made.plan.requires).to.include('fd-stdio');
  });

  it('throws the error of the start, with the command, and tells those who watch', () => {
    const failed = (): Error => {
      throw startError('privileges', 'no');
    };
    const { Command } = fake(undefined, { exec: failed });
    const events: ErrorEvent[] = [];
    const listen = (event: unknown): number => events.push(event as ErrorEvent);
    subscribe('vircommand:error', listen);
    try {
      const error = thrown(() => new Command('p', ['x y']).exec(), CommandStartError);
      expect(error).to.deep.include({ stage: 'privileges', command: "p 'x y'", backend: 'fake' });
      expect(events.map((event) => event.error)).to.deep.equal([error]);
    } finally {
      unsubscribe('vircommand:error', listen);
    }
  });

  it('wraps what a backend throws otherwise', () => {
    const broken = (): Error => {
      throw new TypeError('broken');
    };
    const error = thrown(() => new (fake(undefined, { exec: broken }).Command)('p').exec(), CommandStartError);
    expect([error.stage, (error.cause as Error).message]).to.deep.equal(['backend', 'broken']);
  });

  it('throws as it is what a backend that pretends gives', () => {
    const pretended = new RangeError('the test ends here');
    const { Command } = fake(undefined, { exec: () => pretended });
    expect(thrown(() => new Command('p').exec(), RangeError)).to.equal(pretended);
  });

  it('is refused where it is not declared, and a backend that declares it must have it', () => {
    const lacking = fake(undefined, { features: FEATURES.filter((name) => name !== 'exec') });
    const refused = thrown(() => new lacking.Command('p').exec(), UnsupportedFeatureError);
    expect([refused.feature, refused.availableIn]).to.deep.equal(['exec', ['posix', 'mock']]);
    expect(() => lacking.plan).to.throw('nothing was started');
    const Liar = bindCommand({ ...fake().backend, name: 'liar', exec: undefined } as unknown as Backend);
    expect(thrown(() => new Liar('p').exec(), CommandStartError).reason).to.contain('declares exec and has no exec()');
  });

  it('closes once what is to be closed in the parent, and leaves the command usable otherwise', () => {
    const { Command } = fake();
    const fd = openSync('/dev/null', 'r');
    const once = new Command('p').passFd(fd, { closeInParent: true });
    expect(() => once.exec()).to.throw('executed');
    expect(() => fstatSync(fd)).to.throw('EBADF');
    expect(thrown(() => once.exec(), CommandUsageError).reason).to.contain('runs once');
    const kept = openSync('/dev/null', 'r');
    const command = new Command('p').passFd(kept);
    for (const time of ['first', 'second']) expect(() => command.exec(), time).to.throw('executed');
    closeSync(kept);
  });
});
