/** The environment of a program is what was asked for, in that order, and nothing else. */
import * as assert from 'node:assert/strict';
import { awkward, group, nulParts, setVariables } from './define';

export const environmentCases = group('environment', { needs: ['posix'] }, [
  {
    id: 'exact',
    title: 'values arrive unchanged',
    why: 'Connection strings, patterns and passwords have every character there is.',
    twin: true,
    async run(t, run) {
      const values = [...awkward, '', 'grün 日本語', 'a=b=c'];
      const command = t.helper('env');
      values.forEach((value, index) => command.addEnvPair(`V${index}`, value));
      const { stdout } = await run(command.setOutputBuffer());
      assert.deepEqual(
        nulParts(stdout),
        values.map((value, index) => `V${index}=${value}`),
      );
    },
  },
  {
    id: 'order',
    title: 'variables come in the order in which they were added',
    why: 'Dumps of the environment, and programs that read it in order, stay the same from run to run.',
    async run(t) {
      const names = ['ZULU', 'ALPHA', 'MIKE', 'B', 'A', 'C'];
      const command = t.helper('env');
      for (const name of names) command.addEnvPair(name, name.toLowerCase());
      const { stdout } = await command.setOutputBuffer().run();
      assert.deepEqual(
        nulParts(stdout),
        names.map((name) => `${name}=${name.toLowerCase()}`),
      );
    },
  },
  {
    id: 'many',
    title: 'two thousand variables arrive in their order',
    why: 'Containers and build systems hand on long lists, and none is one too many.',
    twin: true,
    async run(t, run) {
      const given = Array.from({ length: 2000 }, (_, index) => `NAME_${index}=value ${index}`);
      const command = t.helper('env');
      for (const entry of given) command.addEnvString(entry);
      assert.deepEqual(nulParts((await run(command.setOutputBuffer())).stdout), given);
    },
  },
  {
    id: 'duplicates',
    title: 'a name that is added again keeps its place and takes the last value',
    why: 'Two entries of one name: some programs read the first, some the last.',
    twin: true,
    async run(t, run) {
      const command = t.helper('env').addEnvPair('A', '1').addEnvPair('B', '2').addEnvString('A=3');
      const { stdout } = await run(command.setOutputBuffer());
      assert.deepEqual(nulParts(stdout), ['A=3', 'B=2']);
    },
  },
  {
    id: 'formats',
    title: 'formatted and preformatted entries are split at their first equals sign',
    why: 'The value of an option in a variable has equals signs of its own.',
    async run(t) {
      const command = t
        .helper('env')
        .addEnvFormat('%s=%d', 'N', 42)
        .addEnvString('OPTIONS=--a=b --c=')
        .addEnvString('E=');
      const { stdout } = await command.setOutputBuffer().run();
      assert.deepEqual(nulParts(stdout), ['N=42', 'OPTIONS=--a=b --c=', 'E=']);
    },
  },
  {
    id: 'names',
    title: 'names need not be identifiers',
    why: 'A shell in between would drop them; JavaScript objects would mix them up with their own properties.',
    async run(t) {
      const names = ['a.b-c', '1digit', 'with space', 'lower', '__proto__', 'constructor', 'toString', 'NAME_ü'];
      const command = t.helper('env');
      for (const name of names) command.addEnvPair(name, 'v');
      const { stdout } = await command.setOutputBuffer().run();
      assert.deepEqual(
        nulParts(stdout),
        names.map((name) => `${name}=v`),
      );
    },
  },
  {
    id: 'pass',
    title: 'a passed variable has the parent’s value of the time of the call',
    why: 'What is changed later is meant for others.',
    async run(t) {
      setVariables(t, { CONFORMANCE_PASSED: 'then' });
      const command = t.helper('env').addEnvPass('CONFORMANCE_PASSED').setOutputBuffer();
      setVariables(t, { CONFORMANCE_PASSED: 'later' });
      const { stdout } = await command.run();
      assert.deepEqual(nulParts(stdout), ['CONFORMANCE_PASSED=then']);
    },
  },
  {
    id: 'pass-unset',
    title: 'passing a variable that is not set ends the inheritance all the same',
    why: 'Otherwise the program’s whole environment would depend on whether one variable happens to be set.',
    async run(t) {
      setVariables(t, { CONFORMANCE_UNSET: undefined, CONFORMANCE_LEAK: 'secret of the parent' });
      const { stdout } = await t.helper('env').addEnvPass('CONFORMANCE_UNSET').setOutputBuffer().run();
      assert.deepEqual(nulParts(stdout), []);
    },
  },
  {
    id: 'pass-common',
    title: 'the common variables are LC_ALL=C and a few of the parent’s, in virCommand’s order',
    why: 'Programs whose output is parsed must not speak the user’s language, but must find their libraries.',
    async run(t) {
      setVariables(t, {
        LD_PRELOAD: undefined,
        PATH: '/conformance/bin:/usr/bin:/bin',
        TMPDIR: '/conformance/tmp',
        LD_LIBRARY_PATH: '/conformance/lib',
        HOME: '/conformance/home',
        USER: undefined,
        LOGNAME: 'somebody',
        LC_ALL: 'de_DE.UTF-8',
        CONFORMANCE_LEAK: 'secret of the parent',
      });
      const { stdout } = await t.helper('env').addEnvPassCommon().setOutputBuffer().run();
      const order = ['DYLD_INSERT_LIBRARIES', 'DYLD_FORCE_FLAT_NAMESPACE', 'PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR'];
      const expected = ['LC_ALL=C', 'LD_LIBRARY_PATH=/conformance/lib'];
      for (const name of order) {
        const value = process.env[name];
        if (value !== undefined) expected.push(`${name}=${value}`);
      }
      assert.deepEqual(nulParts(stdout), expected);
    },
  },
  {
    id: 'xdg',
    title: 'the XDG variables are the three directories below the base',
    why: 'Programs that keep state write into these directories instead of the user’s.',
    async run(t) {
      const { stdout } = await t.helper('env').addEnvXdg('/base dir').setOutputBuffer().run();
      assert.deepEqual(nulParts(stdout), [
        'XDG_DATA_HOME=/base dir/.local/share',
        'XDG_CACHE_HOME=/base dir/.cache',
        'XDG_CONFIG_HOME=/base dir/.config',
      ]);
    },
  },
  {
    id: 'empty',
    title: 'an empty environment is empty',
    why: 'Whoever asks for none wants no variable of the parent, and none that a library adds by itself.',
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('env').clearEnv().setOutputBuffer());
      assert.equal(stdout, '');
    },
  },
  {
    id: 'empty-then-added',
    title: 'a cleared environment takes what is added later, and only that',
    why: 'Starting from nothing is the usual way to a known environment.',
    async run(t) {
      const command = t.helper('env').addEnvPair('GONE', '1').clearEnv().addEnvPair('A', '1').setOutputBuffer();
      const { stdout } = await command.run();
      assert.deepEqual(nulParts(stdout), ['A=1']);
    },
  },
  {
    id: 'inherit',
    title: 'a command that says nothing inherits the parent’s whole environment',
    why: 'Most programs need some of it, and the caller need not know which part.',
    needs: ['any-program'],
    twin: true,
    async run(t, run) {
      setVariables(t, { CONFORMANCE_INHERITED: 'grün = 1', CONFORMANCE_EMPTY: '' });
      const { stdout } = await run(t.helper('env').setOutputBuffer());
      const expected = Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ''}`);
      assert.deepEqual(nulParts(stdout).sort(), expected.sort());
    },
  },
  {
    id: 'inherit-now',
    title: 'what is inherited is the environment at the time of the start',
    why: 'A command can be a constant of a module that is made long before it runs.',
    async run(t) {
      setVariables(t, { CONFORMANCE_LATE: undefined, CONFORMANCE_GONE: 'x' });
      const command = t.helper('env').setOutputBuffer();
      setVariables(t, { CONFORMANCE_LATE: 'set', CONFORMANCE_GONE: undefined });
      const first = nulParts((await command.run()).stdout);
      assert.ok(first.includes('CONFORMANCE_LATE=set'));
      assert.ok(!first.some((entry) => entry.startsWith('CONFORMANCE_GONE=')));
      setVariables(t, { CONFORMANCE_LATE: 'changed' });
      assert.ok(nulParts((await command.run()).stdout).includes('CONFORMANCE_LATE=changed'));
    },
  },
  {
    id: 'inherit-each',
    title: 'of many that are started at once, each inherits what was set when it was called',
    why: 'A backend that spreads a burst over some time must not give one program what was set for another.',
    async run(t) {
      setVariables(t, { CONFORMANCE_EACH: undefined });
      const runs = Array.from({ length: 60 }, async (_, index) => {
        process.env.CONFORMANCE_EACH = String(index);
        const { stdout } = await t.helper('env', `out:${index}`).setOutputBuffer().run();
        return nulParts(stdout).find((entry) => entry.startsWith('CONFORMANCE_EACH='));
      });
      Reflect.deleteProperty(process.env, 'CONFORMANCE_EACH');
      const expected = runs.map((_, index) => `CONFORMANCE_EACH=${index}`);
      assert.deepEqual(await Promise.all(runs), expected);
    },
  },
  {
    id: 'raw',
    title: 'bytes that are no UTF-8 arrive unchanged in values',
    why: 'Variables hold paths, and paths are bytes.',
    requires: ['raw-bytes'],
    twin: true,
    async run(t, run) {
      const odd = Buffer.from([0xff, 0x41, 0xc3]);
      const { stdout } = await run(t.helper('env').addEnvPair('A', odd).addEnvPair('B', 'b').setOutputBuffer('buffer'));
      assert.deepEqual(stdout, Buffer.concat([Buffer.from('A='), odd, Buffer.from('\0B=b\0')]));
    },
  },
  {
    id: 'too-long',
    title: 'an environment that is longer than the system takes fails at stage exec with E2BIG',
    why: 'Arguments and environment share one bound; the error must not blame the program.',
    needs: ['linux'],
    async run(t) {
      await t.rejectsStart(t.helper('env').addEnvPair('A', 'x'.repeat(300_000)).run(), {
        stage: 'exec',
        code: 'E2BIG',
      });
    },
  },
]);
