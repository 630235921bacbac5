import { expect } from 'chai';
import { secret, UnsupportedFeatureError, type Command, type CommandOptions, type RunOptions } from '@vircommand/core';
import { FEATURE_INFO, FEATURES, type Feature } from '@vircommand/core/backend';
import { thrown } from './caught';
import { fake } from './fake-backend';

type Describe = (command: Command) => unknown;

/** One way to need each feature that can be asked for. */
const needs: Partial<Record<Feature, Describe | { options: Record<string, unknown> }>> = {
  argv0: (c) => c.setArgv0('other'),
  cwd: (c) => c.setWorkingDirectory('/'),
  'raw-bytes': (c) => c.addArg(new Uint8Array([0xff])),
  'sync-deadline': { options: { timeout: 5 } },
  'fd-stdio': (c) => c.setInputFd(0),
  'file-stdio': (c) => c.setOutputFile('/f'),
  'pass-fd': (c) => c.passFd(7),
  'merged-output': (c) => c.setOutputBuffer().setErrorFd('stdout'),
  'nonblocking-fds': (c) => c.nonblockingFds(),
  'send-buffer': (c) => c.setSendBuffer(3, 'x'),
  session: (c) => c.setSession(),
  'process-group': (c) => c.setProcessGroup(),
  'kill-on-parent-exit': { options: { killOnParentExit: true } },
  'parent-death-signal': { options: { killOnParentExit: 'guaranteed' } },
  'uid-gid': (c) => c.setUid(0),
  groups: (c) => c.setGroups([]),
  umask: (c) => c.setUmask(0),
  capabilities: (c) => c.clearCaps(),
  'no-new-privs': (c) => c.setNoNewPrivs(),
  limits: (c) => c.setMaxCoreSize(0),
  nice: (c) => c.setNice(0),
  affinity: (c) => c.setAffinity([0]),
  'core-scheduling': (c) => c.setRunAlone(),
  selinux: (c) => c.setSelinuxLabel('l'),
  apparmor: (c) => c.setAppArmorProfile('p'),
  hook: (c) => c.setPreExecHook({ module: '/h.js' }),
  'pid-file': (c) => c.daemonize().setPidFile('/p'),
  daemon: (c) => c.daemonize(),
};

function assertFrozen(value: unknown, path = 'plan'): void {
  if (typeof value !== 'object' || value === null) return;
  expect(Object.isFrozen(value), path).to.equal(true);
  for (const [key, part] of Object.entries(value)) assertFrozen(part, `${path}.${key}`);
}

describe('a plan', () => {
  const everything = (command: Command): Command =>
    command
      .addArgs(['a', new Uint8Array([0xff]), secret('s')])
      .setArgv0('zero')
      .addEnvPair('A', secret('t'))
      .addEnvPair('B', new Uint8Array([0xfe]))
      .setInputFile('/in')
      .setOutputFile('/out', { append: true })
      .setErrorFd('stdout')
      .passFd(5, { as: 9 })
      .setSendBuffer(4, 'x')
      .setWorkingDirectory('/w')
      .setSession()
      .setUid(1)
      .setGid(2)
      .setGroups([3])
      .setUmask(0o22)
      .setNice(-1)
      .setAffinity([0, 1])
      .clearCaps()
      .allowCap('CAP_KILL')
      .setNoNewPrivs()
      .setLimit('cpu', { soft: 1, hard: 'unlimited' })
      .setMaxFiles(64)
      .setSelinuxLabel('l')
      .setAppArmorProfile('p')
      .setPreExecHook({ module: new URL('file:///h.js'), export: 'prepare', data: { list: [1, { deep: null }] } })
      .setRunAmong(7);

  it('is frozen to its depths, and JSON', () => {
    const made = fake();
    everything(new made.Command('p')).runSync();
    assertFrozen(made.plan);
    const back: unknown = JSON.parse(JSON.stringify(made.plan));
    const undefinedFields = ['pidFile'];
    for (const [key, value] of Object.entries(made.plan)) {
      if (!undefinedFields.includes(key))
        expect((back as Record<string, unknown>)[key], key).to.deep.equal(JSON.parse(JSON.stringify(value)));
    }
  });

  it('says what the setters said', () => {
    const made = fake();
    everything(new made.Command('p')).runSync({ killOnParentExit: 'guaranteed' });
    const { plan } = made;
    expect(plan).to.deep.include({
      contract: 1,
      program: 'p',
      argv: ['zero', 'a', { base64: '/w==' }, 's'],
      env: [
        ['A', 't'],
        ['B', { base64: '/g==' }],
      ],
      cwd: '/w',
      stdin: { type: 'file', path: '/in', mode: 'read' },
      stdout: { type: 'file', path: '/out', mode: 'append' },
      stderr: { type: 'same-as-stdout' },
      passFds: [{ fd: 5, as: 9 }],
      sendBuffers: [4],
      group: 'session',
      daemon: false,
      handshake: false,
      preExecHook: { module: '/h.js', export: 'prepare', data: { list: [1, { deep: null }] } },
      killOnParentExit: 'guaranteed',
      secret: { argv: [3], env: ['A'] },
    });
    expect({ ...plan.privileged }).to.deep.equal({
      uid: 1,
      gid: 2,
      groups: [3],
      umask: 0o22,
      nice: -1,
      affinity: [0, 1],
      capabilities: { clear: true, allow: ['CAP_KILL'] },
      noNewPrivs: true,
      limits: { cpu: { soft: 1, hard: 'unlimited' }, files: 64 },
      selinuxLabel: 'l',
      appArmorProfile: 'p',
      coreScheduling: { among: 7 },
    });
    expect(plan.text).to.match(/^A='\*\*\*' B=.* p a .* '\*\*\*'$/);
  });

  it('is the same from the options form', () => {
    const [chain, form] = [fake(), fake()];
    everything(new chain.Command('p')).rawStatus().runSync();
    const options: CommandOptions = {
      argv0: 'zero',
      env: { A: secret('t'), B: new Uint8Array([0xfe]) },
      stdin: { file: '/in' },
      stdout: { file: '/out', append: true },
      stderr: 'stdout',
      passFds: [{ fd: 5, as: 9 }],
      sendBuffers: [{ fd: 4, data: 'x' }],
      cwd: '/w',
      session: true,
      uid: 1,
      gid: 2,
      groups: [3],
      umask: 0o22,
      nice: -1,
      affinity: [0, 1],
      capabilities: { clear: true, allow: ['CAP_KILL'] },
      noNewPrivs: true,
      limits: { cpu: { soft: 1, hard: 'unlimited' }, files: 64 },
      selinuxLabel: 'l',
      appArmorProfile: 'p',
      preExecHook: { module: '/h.js', export: 'prepare', data: { list: [1, { deep: null }] } },
      coreScheduling: { among: 7 },
      rawStatus: true,
    };
    new form.Command('p', ['a', new Uint8Array([0xff]), secret('s')], options).runSync();
    expect(form.plan).to.deep.equal(chain.plan);
  });

  it('requires nothing that was not asked for', () => {
    const made = fake();
    new made.Command('p')
      .setInputBuffer('x')
      .setOutputBuffer()
      .addEnvPass('PATH')
      .rawStatus()
      .runSync({ check: false });
    expect(made.plan.requires).to.deep.equal(['sync']);
    expect(made.plan.env).to.be.an('array');
  });

  for (const feature of FEATURES.filter((name) => FEATURE_INFO[name].kind === 'asked' && name !== 'exec')) {
    it(`${feature}: required by its call, and refused before anything is opened where it is missing`, async () => {
      const need = needs[feature];
      const options: RunOptions = typeof need === 'object' ? need.options : {};
      const describe = (command: Command): Command => {
        if (typeof need === 'function') need(command);
        return command;
      };
      const lacking = fake(undefined, { features: FEATURES.filter((name) => name !== feature) });
      const command = describe(new lacking.Command('p'));
      if (feature === 'handshake') command.requireHandshake();
      const error =
        feature === 'handshake'
          ? await command.runAsync().then(
              () => undefined,
              (reason: unknown) => reason,
            )
          : thrown(() => command.runSync(options), UnsupportedFeatureError);
      expect(error).to.be.instanceOf(UnsupportedFeatureError);
      expect(error).to.deep.include({
        feature,
        code: 'ERR_COMMAND_UNSUPPORTED',
        backend: 'fake',
        availableIn: FEATURE_INFO[feature].availableIn,
      });
      expect(() => lacking.plan).to.throw('nothing was started');
      if (feature === 'handshake') return;
      const having = fake();
      describe(new having.Command('p')).runSync(options);
      expect(having.plan.requires).to.include(feature);
    });
  }

  for (const [feature, ...ways] of [
    ['file-stdio', (c) => c.setInputFile('/f'), (c) => c.setErrorFile('/f')],
    ['fd-stdio', (c) => c.setOutputFd(1), (c) => c.setErrorFd(2)],
    ['raw-bytes', (c) => c.addEnvPair('A', 'a').addEnvPair('B', new Uint8Array([0xff]))],
    ['process-group', (c) => c.setProcessGroup(false)],
  ] as [Feature, ...Describe[]][]) {
    it(`${feature}: required by whatever asks for it`, () => {
      for (const describe of ways) {
        const made = fake();
        const command = new made.Command('p');
        describe(command);
        command.runSync();
        expect(made.plan.requires).to.include(feature);
      }
    });
  }

  it('requires no merged-output where both go to a file', () => {
    const made = fake();
    new made.Command('p').setOutputFile('/f').setErrorFd('stdout').runSync();
    expect(made.plan.requires).to.not.include('merged-output');
  });

  it('stays as it is when its command is changed, which it does not prevent', () => {
    const made = fake();
    const command = new made.Command('p').allowCap('CAP_KILL');
    command.runSync();
    const { plan } = made;
    command.allowCap('CAP_CHOWN').runSync();
    expect([plan, made.plan].map(({ privileged }) => privileged.capabilities?.allow)).to.deep.equal([
      ['CAP_KILL'],
      ['CAP_KILL', 'CAP_CHOWN'],
    ]);
  });

  it('names a real backend that has what is missing', () => {
    const { Command } = fake(undefined, { features: ['sync'] });
    const error = thrown(() => new Command('p').setWorkingDirectory('/').runSync(), UnsupportedFeatureError);
    expect(error.message).to.contain('use the backend posix or child-process').and.contain("cannot do 'cwd'");
  });
});
