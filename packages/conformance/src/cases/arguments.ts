/** Arguments reach the program as they were given: the same bytes, the same number, the same order. */
import * as assert from 'node:assert/strict';
import { awkward, group, nulParts } from './define';

const odd = Buffer.from([0xff, 0xfe, 0x41, 0xc3, 0x28, 0x80]);

export const argumentCases = group('arguments', {}, [
  {
    id: 'exact',
    title: 'arguments arrive unchanged, whatever a shell would make of them',
    why: 'A quoted, split or expanded argument is a wrong file name, and an injected command in the worst case.',
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('args', ...awkward).setOutputBuffer());
      assert.deepEqual(nulParts(stdout), awkward);
    },
  },
  {
    id: 'empty',
    title: 'empty arguments are arguments, at the start, in the middle and at the end',
    why: 'Programs count their arguments: a dropped empty one moves all that follow.',
    twin: true,
    async run(t, run) {
      const given = ['', 'a', '', '', 'b', ''];
      const { stdout } = await run(t.helper('args', ...given).setOutputBuffer());
      assert.deepEqual(nulParts(stdout), given);
    },
  },
  {
    id: 'none',
    title: 'a program without arguments gets none',
    why: 'An argument that nobody gave is taken for a file name.',
    async run(t) {
      const { stdout } = await t.helper('args').setOutputBuffer().run();
      assert.equal(stdout, '');
    },
  },
  {
    id: 'dashes',
    title: 'arguments with leading dashes are handed on, not interpreted',
    why: 'Options belong to the program, not to something between it and the caller.',
    async run(t) {
      const given = ['-', '--', '-n', '-e', '--help', '--version', '-c', '---', '-=', '-- -'];
      const { stdout } = await t
        .helper('args', ...given)
        .setOutputBuffer()
        .run();
      assert.deepEqual(nulParts(stdout), given);
    },
  },
  {
    id: 'multi-byte',
    title: 'text arrives as UTF-8, character by character',
    why: 'File names with other letters than ASCII are found only if every byte is right.',
    twin: true,
    async run(t, run) {
      const given = ['grün', '日本語', '👩‍👩‍👧', 'e\u0301', '\ufeffmark', '\ufffd', '\u2028', 'עברית', '\u{10ffff}'];
      const { stdout } = await run(t.helper('args', ...given).setOutputBuffer());
      assert.deepEqual(nulParts(stdout), given);
    },
  },
  {
    id: 'many',
    title: 'two thousand arguments arrive in their order',
    why: 'Lists of files are long, and their order counts.',
    async run(t) {
      const given = Array.from({ length: 2000 }, (_, index) => `argument ${index}`);
      const { stdout } = await t
        .helper('args', ...given)
        .setOutputBuffer()
        .run();
      assert.deepEqual(nulParts(stdout), given);
    },
  },
  {
    id: 'long',
    title: 'arguments of 100,000 bytes arrive whole',
    why: 'Generated options are long; one that is cut is another option.',
    twin: true,
    async run(t, run) {
      const given = Array.from({ length: 5 }, (_, index) => String(index).repeat(100_000));
      const { stdout } = await run(t.helper('args', ...given).setOutputBuffer());
      assert.deepEqual(nulParts(stdout), given);
    },
  },
  {
    id: 'builders',
    title: 'every way to add an argument appends to the same list',
    why: 'A command is built piece by piece; the program sees the sum.',
    async run(t) {
      const command = t.helper('args').addArg('a').addArgs(['b', 'c']).addArgList('d', 'e').addArgPair('name', 'x y');
      command.addArgFormat('%s-%d-%x%%', 's', 12, 255);
      const { stdout } = await command.setOutputBuffer().run();
      assert.deepEqual(nulParts(stdout), ['a', 'b', 'c', 'd', 'e', 'name=x y', 's-12-ff%']);
    },
  },
  {
    id: 'raw',
    title: 'bytes that are no UTF-8 arrive unchanged in arguments',
    why: 'File names on POSIX are bytes: one that was recoded names another file, or none.',
    requires: ['raw-bytes'],
    twin: true,
    async run(t, run) {
      const command = t
        .helper('args', 'before')
        .addArgs([odd, Buffer.from([0xe4])])
        .addArgPair('name', odd);
      const { stdout } = await run(command.setOutputBuffer('buffer'));
      const nul = Buffer.from([0]);
      const expected = ['before', odd, Buffer.from([0xe4]), Buffer.concat([Buffer.from('name='), odd])];
      assert.deepEqual(stdout, Buffer.concat(expected.flatMap((argument) => [Buffer.from(argument), nul])));
    },
  },
  {
    id: 'argv0',
    title: 'argv[0] can be another one than the program',
    why: 'Login shells and programs with several names go by it.',
    requires: ['argv0'],
    twin: true,
    async run(t, run) {
      const { stdout } = await run(t.helper('argv0').setArgv0('other name').setOutputBuffer());
      assert.equal(stdout, 'other name');
    },
  },
  {
    id: 'argv0-default',
    title: 'argv[0] is the program as it was given, not the path where it was found',
    why: 'Programs print it in their messages, and tell by it which of their names was called.',
    needs: ['posix', 'any-program'],
    async run(t) {
      const { stdout } = await new t.Command('sh', ['-c', 'printf %s "$0"']).setOutputBuffer().run();
      assert.equal(stdout, 'sh');
    },
  },
  {
    id: 'too-long',
    title: 'a list that is longer than the system takes fails at stage exec with E2BIG',
    why: 'Who is told so can cut the list in two; anything else looks like a missing program.',
    needs: ['linux'],
    twin: true,
    async run(t, run) {
      const command = t.helper('args', ...Array.from({ length: 80 }, () => 'x'.repeat(100_000)));
      await t.rejectsStart(run(command), { stage: 'exec', code: 'E2BIG' });
    },
  },
  {
    id: 'one-too-long',
    title: 'one argument that is longer than the system takes fails at stage exec with E2BIG',
    why: 'Linux takes 128 KiB for a single one, however short the list is.',
    needs: ['linux'],
    async run(t) {
      await t.rejectsStart(t.helper('args', 'x'.repeat(300_000)).run(), { stage: 'exec', code: 'E2BIG' });
    },
  },
]);
