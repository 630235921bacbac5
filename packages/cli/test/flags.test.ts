/** Each flag: what it says to core's builder, and what it says when it is used in a wrong way. */
import { expect } from 'chai';
import { userInfo } from 'node:os';
import * as path from 'node:path';
import { CommandStartError } from '@vircommand/core';
import { capabilityNumber, type LaunchPlan } from '@vircommand/core/backend';
import { attributes, limitNames } from '../src/attributes';
import { capabilitiesIn, capabilityNames } from '../src/capabilities';
import { dryRun } from '../src/dry-run';
import { failureOf } from '../src/failure';
import type { Flag } from '../src/flag';
import { readJob, type Job } from '../src/job';
import { main } from '../src/main';
import type { Output } from '../src/output';
import { recordedFlags, runFlags } from '../src/run-flags';
import { subcommands } from '../src/subcommands';

const silent: Output = { isTerminal: false, write: () => undefined };
const surroundings = {
  stdout: silent,
  stderr: silent,
  backend: (): never => {
    throw new Error('no flag needs a program here');
  },
};

/** The plan that these flags make for the program `true`. */
async function planOf(args: readonly string[]): Promise<LaunchPlan> {
  const job = readJob<Job>([...args, '--', 'true'], runFlags, [], surroundings, (made) => made);
  let plan: LaunchPlan | undefined;
  job.runBy = dryRun((told) => {
    plan = told;
  });
  await job.command.run(job.options);
  if (plan === undefined) throw new Error('nothing was run');
  return plan;
}

const { uid, gid, username } = userInfo();

/** Flags, and what of the plan they are. */
const said: readonly (readonly [readonly string[], Partial<LaunchPlan> | { privileged: object }])[] = [
  [['--clean-env'], { env: [] }],
  [
    ['--env', 'A=1', '--env=B=x=y'],
    {
      env: [
        ['A', '1'],
        ['B', 'x=y'],
      ],
    },
  ],
  [['--env', 'A=1', '--clean-env'], { env: [['A', '1']] }],
  [['--env-pass', 'VIRCOMMAND_TEST_VARIABLE'], { env: [['VIRCOMMAND_TEST_VARIABLE', 'here']] }],
  [
    ['--env-xdg', '/x', '--env', 'A='],
    {
      env: [
        ['XDG_DATA_HOME', '/x/.local/share'],
        ['XDG_CACHE_HOME', '/x/.cache'],
        ['XDG_CONFIG_HOME', '/x/.config'],
        ['A', ''],
      ],
    },
  ],
  [['--user', username], { privileged: { uid, gid } }],
  [['-u', String(uid)], { privileged: { uid, gid } }],
  [['-u', '4242', '-g', '77'], { privileged: { uid: 4242, gid: 77 } }],
  [['-g', '77', '-u', username], { privileged: { uid, gid: 77 } }],
  [['--groups', '1,2'], { privileged: { groups: [1, 2] } }],
  [['--groups', ''], { privileged: { groups: [] } }],
  [
    ['--clear-caps', '--cap', 'net_raw,CAP_CHOWN', '--cap', '8'],
    {
      privileged: { capabilities: { clear: true, allow: ['CAP_NET_RAW', 'CAP_CHOWN', 'CAP_SETPCAP'] } },
    },
  ],
  [['--no-new-privs'], { privileged: { noNewPrivs: true } }],
  [['--selinux', 'a:b:c:s0'], { privileged: { selinuxLabel: 'a:b:c:s0' } }],
  [['--apparmor', 'p'], { privileged: { appArmorProfile: 'p' } }],
  [['-C', '/srv'], { cwd: '/srv' }],
  [['--argv0', 'other'], { argv: ['other'] }],
  [['--umask', '027'], { privileged: { umask: 0o27 } }],
  [
    ['--limit', 'nofile=10:20', '--limit', 'core=unlimited', '--limit', 'as=64M', '--limit', 'cpu=5:infinity'],
    {
      privileged: {
        limits: {
          files: { soft: 10, hard: 20 },
          core: { soft: 'unlimited', hard: 'unlimited' },
          addressSpace: { soft: 64 << 20, hard: 64 << 20 },
          cpu: { soft: 5, hard: 'unlimited' },
        },
      },
    },
  ],
  [['--nice', '-5'], { privileged: { nice: -5 } }],
  [['--nice=-5'], { privileged: { nice: -5 } }],
  [['--affinity', '0,2-3'], { privileged: { affinity: [0, 2, 3] } }],
  [['--core-sched', 'alone'], { privileged: { coreScheduling: 'alone' } }],
  [['--core-sched', '77'], { privileged: { coreScheduling: { among: 77 } } }],
  [['--session'], { group: 'session' }],
  [['--process-group', 'own'], { group: 'group' }],
  [['--process-group', 'ours'], { group: 'none' }],
  [
    ['--hook', 'h.js#prepare', '--hook-data', '{"a":1}'],
    {
      preExecHook: { module: path.resolve('h.js'), export: 'prepare', data: { a: 1 } },
    },
  ],
  [['--hook', '/srv/h.js'], { preExecHook: { module: '/srv/h.js', export: 'default', data: null } }],
  [
    ['--pass-fd', '5', '--pass-fd', '9:3'],
    {
      passFds: [
        { fd: 5, as: 5 },
        { fd: 9, as: 3 },
      ],
    },
  ],
  [['--daemon', '--pid-file', '/run/x.pid'], { daemon: true, pidFile: '/run/x.pid' }],
];

const wrong: readonly (readonly [readonly string[], RegExp])[] = [
  [['--nice', '20'], /^vircommand run: --nice: takes a whole number from -20 to 19/],
  [['--nice', 'high'], /--nice: takes a whole number, not 'high'/],
  [['--umask', '8'], /--umask: takes an octal number like 022, not '8'/],
  [['--umask', '7777'], /--umask: takes a whole number from 0 to 511/],
  [['--user', 'no-such-user'], /--user: there is no user 'no-such-user'/],
  [['--user', '987654'], /--user: nobody knows the group of user 987654; name one with --group/],
  [['--user', '4294967296'], /--user: takes a name or a number from 0 to 4294967294, not '4294967296'/],
  [['--user', '4294967295'], /--user: takes a name or a number/],
  [['--user', ''], /--user: takes a name or a number from 0 to 4294967294, not ''/],
  [['--user', ' 0'], /--user: there is no user ' 0'/],
  [['--user=--help'], /--user: there is no user '--help'/],
  [['--group', '4294967296'], /--group: takes a name or a number from 0 to 4294967294, not '4294967296'/],
  [['--group', ''], /--group: takes a name or a number/],
  [['--groups', ','], /--groups: takes a name or a number/],
  [['--group', 'no-such-group'], /--group: there is no group 'no-such-group'/],
  [['--cap', 'Net-Raw'], /--cap: takes a name/],
  [['--limit', 'files=5'], /--limit: takes NAME=SOFT\[:HARD\] with a name of nofile, /],
  [['--limit', 'nofile'], /--limit: takes NAME=SOFT/],
  [['--limit', 'nofile=1:2:3'], /--limit: takes NAME=SOFT/],
  [['--limit', 'nofile=-1'], /--limit: nofile takes a number from 0 to 9007199254740991, or unlimited, not '-1'/],
  [['--limit', 'cpu=5:-1'], /--limit: cpu takes a number from 0 to 9007199254740991, or unlimited, not '-1'/],
  [['--limit', 'nproc=18446744073709551615'], /--limit: nproc takes .*, or unlimited, not '18446744073709551615'/],
  [['--limit', 'nofile=20:10'], /--limit: nofile: the soft limit is above the hard one/],
  [['--limit', 'as=2:1'], /--limit: as: the soft limit is above the hard one/],
  [['--affinity', ''], /--affinity: needs at least one processor/],
  [['--core-sched', 'x'], /--core-sched: takes a whole number/],
  [
    ['--process-group', 'ours', '--session'],
    /--process-group: a session .*; 'ours' cannot be had with --session or --daemon/,
  ],
  [['--process-group', 'x'], /--process-group: takes one of own, ours, not 'x'/],
  [['--env', 'A'], /--env: entry has no '='/],
  [['--pass-fd', 'x'], /--pass-fd: takes FD or FD:AS, not 'x'/],
  [['--pass-fd', '1'], /--pass-fd: 1 is stdin, stdout or stderr; use --stdin and the like, or FD:AS\n/],
  [['--hook-data', '1'], /--hook-data: is for --hook/],
  [['--hook', 'x', '--hook-data', '{'], /--hook-data: is no JSON: /],
  [['--pid-file', 'x'], /--pid-file: creation of a pid file requires --daemon\n/],
  [
    ['--daemon', '--die-with-parent'],
    /--daemon: a daemon outlives its parent; --die-with-parent cannot be had with it/,
  ],
  [
    ['--hook', 'x', '--hook-data', `${'['.repeat(200)}${']'.repeat(200)}`],
    /--hook: --hook-data is nested too deeply or refers to itself; it must be JSON/,
  ],
  [['--user', 'a\x1b[K'], /--user: there is no user 'a\\x1b\[K'/],
  [['--daemon', '--cwd', '/'], /--cwd: a daemonized command cannot set its working directory/],
  [['--daemon', '--stats'], /--stats: a daemon outlives vircommand/],
  [['--daemon', '--output-limit', '1K'], /--output-limit: a daemon outlives vircommand/],
  [
    ['--output-limit', '1K', '--stdout', 'x'],
    /--output-limit: counts what goes through vircommand.*--limit fsize=SIZE/,
  ],
  [['--output-limit', '1K', '--stderr', 'x'], /--output-limit: counts what goes through vircommand/],
  [['--append'], /--append: is for --stdout and --stderr/],
  [['--timeout', '0'], /--timeout: is 0; leave it out for no deadline/],
  [['--timeout', 'soon'], /--timeout: takes a duration like 30s/],
  [['--timeout', '1s', '--timeout', '2s'], /--timeout: is given 2 times; it can be given once/],
  [['--usr', 'x'], /there is no option '--usr'; did you mean '--user'\?/],
  [['--user'], /run: --user: needs USER/],
  [['--user', '--daemon'], /--user: needs USER; if '--daemon' is meant, write --user=--daemon/],
  [['-x'], /there is no option '-x'\n/],
  [['--daemon=yes'], /run: --daemon: takes no value, and not 'yes'/],
];

describe('the flags of run', () => {
  before(() => {
    process.env.VIRCOMMAND_TEST_VARIABLE = 'here';
  });
  after(() => {
    delete process.env.VIRCOMMAND_TEST_VARIABLE;
  });

  for (const [args, expected] of said) {
    it(args.join(' '), async () => {
      const plan = await planOf(args);
      for (const [key, value] of Object.entries(expected)) {
        expect(JSON.parse(JSON.stringify(plan[key as keyof LaunchPlan])), key).to.deep.equal(value);
      }
    });
  }

  it('--env-common passes what core calls common', async () => {
    const { env } = await planOf(['--env-common']);
    expect(Object.fromEntries(env as [string, string][])).to.include({ LC_ALL: 'C', PATH: process.env.PATH });
  });

  it('without one the program inherits everything, and nothing else is said', async () => {
    const { env, privileged, cwd, daemon } = await planOf([]);
    expect([env, privileged, cwd, daemon]).to.deep.equal(['inherit', {}, undefined, false]);
  });

  for (const [args, message] of wrong) {
    it(`'${args.join(' ')}' is refused`, async () => {
      let text = '';
      const stderr: Output = { isTerminal: false, write: (piece) => void (text += String(piece)) };
      const status = await main(['run', '--dry-run', ...args, '--', 'true'], { ...surroundings, stderr });
      expect(text).to.match(message);
      expect(text, 'the words of the library').not.to.match(/\w\(\)/);
      expect(status).to.equal(125);
    });
  }

  it('an empty program is refused in words of the command line', async () => {
    let text = '';
    const stderr: Output = { isTerminal: false, write: (piece) => void (text += String(piece)) };
    expect(await main(['run', '--dry-run', '--', ''], { ...surroundings, stderr })).to.equal(125);
    expect(text).to.equal('vircommand run: program is empty\n');
  });

  it('what fails at the start is said in words of the command line, and the command is left as it is', () => {
    const told = (stage: 'limits' | 'privileges', reason: string): string => {
      const error = new CommandStartError(stage, reason, { command: "sh -c 'ulimit files; limit files'" });
      return failureOf(error, runFlags).message;
    };
    const raising = (name: string): string => `raising the hard limit ${name} from 1 to 2 needs CAP_SYS_RESOURCE`;
    for (const [files, shown] of [
      [raising('files'), raising('nofile')],
      ['EPERM: no, setrlimit (limit files)', 'EPERM: no, setrlimit (limit nofile)'],
    ] as const) {
      expect(told('limits', files))
        .to.match(/: sh -c 'ulimit files; limit files'$/)
        .and.to.contain(`limits): ${shown}: `);
    }
    const instead = (name: string): string => `it needs CAP_SETPCAP; ${name} protects an ordinary user too`;
    expect(told('privileges', instead('setNoNewPrivs()'))).to.contain(instead('--no-new-privs'));
  });

  it('each attribute is in a test above', () => {
    const tested = new Set(
      said
        .flatMap(([args]) => args)
        .filter((arg) => arg.startsWith('-'))
        .map((arg) => arg.replace(/=.*$/, '')),
    );
    const missing = attributes
      .flatMap(({ flags }): readonly Flag<Job>[] => flags)
      .filter(({ name, short }) => !tested.has(`--${name}`) && !tested.has(`-${short ?? ''}`))
      .map(({ name }) => name);
    // The first has a test of its own, the second is an option of the run.
    expect(missing).to.deep.equal(['env-common', 'die-with-parent']);
  });

  it('each setter that a flag names is one of core, so that its errors find the flag', () => {
    const job = readJob<Job>(['true'], runFlags, [], surroundings, (made) => made);
    const options = ['timeout', 'killDelay'];
    for (const { call } of runFlags.flatMap(({ flags }): readonly Flag<Job>[] => flags)) {
      if (call !== undefined && !options.includes(call)) expect(job.command, call).to.have.property(call);
    }
  });
});

describe('a command line', () => {
  const programOf = (args: readonly string[]): readonly unknown[] => {
    const { command } = readJob<Job>(args, runFlags, [], surroundings, (made) => made);
    return [command.toString(), ...command.getArgList()];
  };

  it('ends at -- or at the program, whose flags are its own', () => {
    expect(programOf(['--nice', '5', '--', 'ls', '--nice'])).to.deep.equal(['ls --nice', '--nice']);
    expect(programOf(['--nice', '5', 'ls', '-l', '--help'])).to.deep.equal(['ls -l --help', '-l', '--help']);
    expect(programOf(['ls', '--', '-x'])).to.deep.equal(['ls -- -x', '--', '-x']);
    expect(programOf(['--', '--odd-program'])[0]).to.equal('--odd-program');
  });

  it("has the subcommand's own arguments before -- or after it", () => {
    const read = (args: readonly string[]) => {
      const { own, command } = readJob<Job>(args, runFlags, ['file'], surroundings, (made) => made);
      return [...own, command.toString()];
    };
    for (const args of [
      ['f.json', 'ls', '-l'],
      ['f.json', '--', 'ls', '-l'],
      ['--nice', '5', '--', 'f.json', 'ls', '-l'],
    ]) {
      expect(read(args), args.join(' ')).to.deep.equal(['f.json', 'ls -l']);
    }
    expect(() => read(['--'])).to.throw('which file?');
    expect(() => read(['--', 'f.json'])).to.throw('which program?');
  });

  it('lacks a program: that is said', () => {
    expect(() => programOf([])).to.throw('which program?');
    expect(() => programOf(['--nice', '5', '--'])).to.throw('which program?');
  });
});

describe('the tables', () => {
  it('no subcommand has a flag or a letter twice, and --help is free', () => {
    for (const { name, flags } of subcommands) {
      const all = flags
        .flatMap((group) => group.flags)
        .flatMap((flag) => [flag.name, ...(flag.short === undefined ? [] : [flag.short])]);
      expect(all, name).to.deep.equal(Array.from(new Set(all)));
      expect(all).to.not.include('help').and.not.include('h');
    }
  });

  it('a flag means the same in every subcommand, or completion could not tell', () => {
    const seen = new Map<string, unknown>();
    for (const { flags } of subcommands.flatMap((subcommand) => subcommand.flags)) {
      for (const { name, value, complete } of flags) {
        if (value === undefined) continue;
        const meaning = JSON.stringify([value, complete]);
        expect(seen.get(name) ?? meaning, name).to.equal(meaning);
        seen.set(name, meaning);
      }
    }
    expect(recordedFlags.length).to.be.above(0);
  });

  it('capabilities have the numbers of core', () => {
    capabilityNames.forEach((name, number) => {
      expect(capabilityNumber(`CAP_${name.toUpperCase()}`), name).to.equal(number);
    });
    expect(capabilitiesIn(0b1000_0000_0001n)).to.deep.equal(['chown', 'net_broadcast']);
    expect(capabilitiesIn(1n << 60n)).to.deep.equal(['60']);
  });

  it('all limits of core can be set', () => {
    expect(limitNames).to.have.lengthOf(9);
  });
});
