import { expect } from 'chai';
import * as fc from 'fast-check';
import { CommandUsageError, secret, type Command } from '@vircommand/core';
import { fake } from './fake-backend';

function envOf(describe: (command: Command) => unknown) {
  const made = fake();
  const command = new made.Command('x');
  describe(command);
  command.runSync();
  return made.plan.env;
}

/** With variables of this process set, or not set where `undefined`. */
function withVariables<T>(variables: Record<string, string | undefined>, body: () => T): T {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  const set = (name: string, value: string | undefined): void => {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  };
  for (const [name, value] of Object.entries(variables)) set(name, value);
  try {
    return body();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

describe('the environment', () => {
  it('is inherited until something is said of it', () => {
    expect(envOf(() => undefined)).to.equal('inherit');
    expect(envOf((c) => c.clearEnv())).to.deep.equal([]);
    expect(envOf((c) => c.addEnvPair('A', ''))).to.deep.equal([['A', '']]);
  });

  it('passing a variable that is not set ends the inheritance too', () => {
    withVariables({ NOT_SET_HERE: undefined }, () => {
      expect(envOf((c) => c.addEnvPass('NOT_SET_HERE'))).to.deep.equal([]);
    });
  });

  it('passes the value of the time of the call', () => {
    const made = fake();
    const command = withVariables({ PASSED: 'then' }, () => new made.Command('x').addEnvPass('PASSED'));
    withVariables({ PASSED: 'now' }, () => command.runSync());
    expect(made.plan.env).to.deep.equal([['PASSED', 'then']]);
  });

  it('passes the common ones in virCommand’s order', () => {
    const common = {
      ...{ TMPDIR: '/t', PATH: '/p', LD_PRELOAD: undefined, LD_LIBRARY_PATH: '/l', DYLD_INSERT_LIBRARIES: undefined },
      ...{ DYLD_FORCE_FLAT_NAMESPACE: undefined, HOME: '/h', USER: 'u', LOGNAME: 'u' },
    };
    withVariables(common, () => {
      expect(envOf((c) => c.addEnvPassCommon())).to.deep.equal([
        ['LC_ALL', 'C'],
        ['LD_LIBRARY_PATH', '/l'],
        ['PATH', '/p'],
        ['HOME', '/h'],
        ['USER', 'u'],
        ['LOGNAME', 'u'],
        ['TMPDIR', '/t'],
      ]);
    });
  });

  it('has the XDG directories below a base', () => {
    expect(envOf((c) => c.addEnvXdg('/b'))).to.deep.equal([
      ['XDG_DATA_HOME', '/b/.local/share'],
      ['XDG_CACHE_HOME', '/b/.cache'],
      ['XDG_CONFIG_HOME', '/b/.config'],
    ]);
  });

  it('a name that comes again keeps its place and takes the new value', () => {
    const name = fc.constantFrom('A', 'B', 'C', '__proto__', 'é');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.constantFrom('1', '2', '=')), { minLength: 1 }), (entries) => {
        const naive: [string, string][] = [];
        for (const [key, value] of entries) {
          const there = naive.find(([known]) => known === key);
          if (there === undefined) naive.push([key, value]);
          else there[1] = value;
        }
        const env = envOf((c) => {
          entries.forEach(([key, value], index) =>
            index % 2 === 0 ? c.addEnvPair(key, value) : c.addEnvString(`${key}=${value}`),
          );
        });
        expect(env).to.deep.equal(naive);
      }),
      { numRuns: 500 },
    );
  });

  it('splits at the first `=`, and keeps secret what is', () => {
    const made = fake();
    const command = new made.Command('x')
      .addEnvString('A=b=c')
      .addEnvString(secret('T=tok'))
      .addEnvFormat('F=%s', secret('f'));
    command.runSync();
    expect(made.plan.env).to.deep.equal([
      ['A', 'b=c'],
      ['T', 'tok'],
      ['F', 'f'],
    ]);
    expect(made.plan.secret.env).to.deep.equal(['T', 'F']);
    expect(String(command)).to.equal("A=b=c T='***' F='***' x");
  });

  it('in the options form replaces; what is said comes after what is passed', () => {
    withVariables({ GIVEN: 'parent', OTHER: 'other', TMPDIR: undefined }, () => {
      const made = fake();
      new made.Command('x', [], { env: { GIVEN: 'mine', NOT: undefined }, envPass: ['GIVEN', 'OTHER'] }).runSync();
      expect(made.plan.env).to.deep.equal([
        ['GIVEN', 'mine'],
        ['OTHER', 'other'],
      ]);
      new made.Command('x', [], { env: {} }).runSync();
      expect(made.plan.env).to.deep.equal([]);
      for (const env of [{ ...process.env, A: '1' }, process.env]) {
        new made.Command('x', [], { env }).runSync();
        expect(new Map(made.plan.env as [string, string][]).get('GIVEN')).to.equal('parent');
      }
    });
  });

  it('in the options form has no inherited variables: what would be left out is refused', () => {
    withVariables({ GIVEN: 'parent' }, () => {
      const made = fake();
      const own = (of: object): Record<string, string> => Object.assign(Object.create(of) as object, { A: '1' });
      const withoutPrototype = Object.assign(Object.create(null) as object, { GIVEN: 'parent' });
      for (const env of [
        own(process.env),
        own(own(own(process.env))),
        own(withoutPrototype),
        own(own(withoutPrototype)),
      ]) {
        expect(() => new made.Command('x', [], { env }).runSync()).to.throw(
          CommandUsageError,
          /has variables in its prototype \('\w+'\), and only its own count: \{ \.\.\.process\.env/,
        );
      }
      class Variables {
        readonly A = '1';
        toString(): string {
          return this.A;
        }
      }
      const old = Object.assign(Object.create({ method: () => undefined }) as Record<string, string>, { A: '1' });
      for (const env of [new Variables() as unknown as Record<string, string>, old]) {
        new made.Command('x', [], { env }).runSync();
        expect(made.plan.env).to.deep.equal([['A', '1']]);
      }
    });
  });

  it('has no variable by a name that no system can have', () => {
    for (const describe of [
      (c: Command) => c.addEnvPair('a\0b', ''),
      (c: Command) => c.addEnvPair(5 as never, ''),
      (c: Command) => c.addEnvPass('a\0b'),
      (c: Command) => c.addEnvString('a\0b=c'),
      (c: Command) => c.addEnvString('=c'),
      (c: Command) => c.addEnvString(Buffer.from('\xff=c', 'latin1')),
    ]) {
      expect(() => envOf(describe)).to.throw(CommandUsageError);
    }
  });
});
