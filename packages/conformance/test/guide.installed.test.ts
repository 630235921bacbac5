/** docs/write-a-backend.md, followed step by step: what it says to write is written, what it says to run is run. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { cleanEnvironment, install, transpile } from './installed';

const root = path.join(__dirname, '..', '..', '..');
const guide = path.join(root, 'docs', 'write-a-backend.md');
const example = path.join(root, 'examples', 'src', 'elsewhere');

interface Block {
  readonly line: number;
  /** What follows the fence: `sh`, `text`, `typescript NAME`. */
  readonly info: string;
  readonly code: string;
}

function blocksOf(file: string): Block[] {
  const text = readFileSync(file, 'utf8');
  return Array.from(text.matchAll(/^```(\S.*)\n([^]*?)^```$/gm), ({ index, 1: info = '', 2: code = '' }) => {
    return { line: text.slice(0, index).split('\n').length, info, code };
  });
}

/** `…` stands for what differs or is left out: in a line, or, alone, for any lines. */
function pattern(expected: string): RegExp {
  const source = expected
    .trimEnd()
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/^…\n?/gm, '[^]*')
    .replaceAll('…', '[^\\n]*')
    // The width of a column is that of its longest word, which others may be on another day.
    .replace(/ {2,}/g, ' +');
  return new RegExp(`^${source}\\s*$`);
}

const packageOf = (name: string): string => path.dirname(require.resolve(`${name}/package.json`));

/** Programs of the guide's commands, by the words that they begin with; what has none is `npx tsc` or an installation. */
const programs: Readonly<Record<string, string>> = {
  'npx vircommand-conformance': 'node_modules/@vircommand/conformance/bin/vircommand-conformance.js',
  'npx mocha': 'node_modules/mocha/bin/mocha.js',
};

if (process.platform === 'linux') {
  describe('the guide "Write a backend in an afternoon"', function () {
    // One of its steps runs the whole suite.
    this.timeout(600_000);
    let directory = '';
    let remove = (): void => undefined;
    before(() => {
      ({ directory, remove } = install(['core', 'child-process', 'conformance'], { mocha: packageOf('mocha') }));
    });
    after(() => {
      remove();
    });

    const compile = (): string => {
      for (const name of readdirSync(directory).filter((file) => file.endsWith('.ts'))) {
        const source = readFileSync(path.join(directory, name), 'utf8');
        writeFileSync(path.join(directory, name.replace(/\.ts$/, '.js')), transpile(source));
      }
      return '';
    };

    /** Its output. */
    const run = (line: string): string => {
      if (line === 'npx tsc') return compile();
      const words = Array.from(line.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain ?? '');
      if (words[0] === 'npm') {
        for (const name of words.filter((word) => word.startsWith('@'))) {
          expect(existsSync(path.join(directory, 'node_modules', name)), name).to.equal(true);
        }
        return '';
      }
      const program = programs[words.slice(0, 2).join(' ')];
      const argv = program === undefined ? words.slice(1) : [program, ...words.slice(2)];
      const { stdout, stderr, error } = spawnSync(process.execPath, argv, {
        cwd: directory,
        encoding: 'utf8',
        env: cleanEnvironment(),
        maxBuffer: 1 << 26,
      });
      expect(error).to.equal(undefined);
      expect(stderr).to.equal('');
      return stdout;
    };

    const blocks = blocksOf(guide);
    let output = '';
    for (const { line, info, code } of blocks) {
      const file = /^typescript (\S+\.ts)( \(continued\))?$/.exec(info);
      const [, name = '', continued] = file ?? [];
      const steps: Readonly<Record<string, () => void>> = {
        sh: () => {
          output = code.trimEnd().split('\n').map(run).join('');
        },
        text: () => {
          expect(output).to.match(pattern(code));
        },
        // A line to be read, in no file.
        typescript: () => {
          expect(transpile(code)).to.not.equal('');
        },
      };
      const write = (): void => {
        const before = continued === undefined ? '' : `${readFileSync(path.join(directory, name), 'utf8')}\n`;
        writeFileSync(path.join(directory, name), before + code);
      };
      const step = file === null ? steps[info] : write;
      it(`line ${line}: ${info}: ${code.split('\n').at(info === 'sh' ? -2 : 0) ?? ''}`, () => {
        if (step === undefined) throw new Error(`line ${line}: nobody knows what to do with a block '${info}'`);
        step();
      });
    }

    it('comes to the files of the example', () => {
      for (const name of readdirSync(example)) {
        const written = readFileSync(path.join(directory, name), 'utf8');
        expect(written, name).to.equal(readFileSync(path.join(example, name), 'utf8'));
      }
    });
  });
}
