/** Job control of an interactive bash at a terminal: it stops, continues and ends the program through us, and sees what it did. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { bin, until } from './installed';
import { startAtTerminal, type Started } from './started';

/** The state of a process as the kernel calls it, and whether its group is in front. */
function seen(pid: number): string {
  try {
    const [state = '', , group, , , front] = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return state === 'Z'
      ? 'gone'
      : `${state === 'T' ? 'stopped' : 'running'} ${group === front ? 'in front' : 'behind'}`;
  } catch {
    return 'gone';
  }
}

describe('job control', function () {
  this.timeout(60_000);
  if (process.platform !== 'linux') return;

  for (const flag of ['', '--no-exec', '--timeout=50']) {
    describe(`run ${flag}`, () => {
      let shell: Started;
      const pids: number[] = [];
      const line = (program: string): string => `"$NODE" "$BIN" run ${flag} -- ${program}\n`;
      /** Runs a line, of which the program says its pid. */
      async function program(script: string, end = ''): Promise<number> {
        shell.text = '';
        shell.type(`${line(`sh -c 'echo "pid $$"; ${script}'`).trimEnd()}${end}\n`);
        const pid = Number((await shell.wrote(/^(?:at-prompt )?pid (\d+)/m))[1]);
        pids.push(pid);
        return pid;
      }
      /** What is typed before bash reads again would be lost when it changes the terminal. */
      const status = async (): Promise<number> => {
        await shell.wrote(/at-prompt $/);
        shell.text = '';
        shell.type('echo "status $?"\n');
        return Number((await shell.wrote(/^(?:at-prompt )*status (\d+)/m))[1]);
      };

      const jobs = async (): Promise<string> => {
        shell.text = '';
        shell.type('jobs; echo "that is" "all"\n');
        // bash tells of what has changed meanwhile before it prompts again.
        const [, told = '', news = ''] = await shell.wrote(/^([^]*)that is all\r?\n([^]*)at-prompt $/);
        return told + news;
      };

      beforeEach(async () => {
        const env = { NODE: process.execPath, BIN: bin(), PS1: '', HISTFILE: '' };
        shell = await startAtTerminal('exec bash --norc --noprofile -i', env);
        // Lines that are typed must not be taken for answers.
        shell.type(
          'stty -echo; bind "set enable-bracketed-paste off" 2>/dev/null; PS1="at""-prompt "; echo "set" "up"\n',
        );
        await shell.wrote(/^set up\r?\n(?:[^]*)at-prompt $/m);
      });
      afterEach(async () => {
        await shell[Symbol.asyncDispose]();
        for (const pid of pids.splice(0)) await until(() => seen(pid) === 'gone');
      });

      it('Ctrl-Z stops it, bg and fg go on, Ctrl-C ends it', async () => {
        const pid = await program('exec sleep 1000');
        await until(() => readFileSync(`/proc/${pid}/comm`, 'latin1') === 'sleep\n');
        shell.type('\x1a');
        await shell.wrote(/Stopped/);
        await until(() => seen(pid) === 'stopped behind');
        expect(await status()).to.equal(148);
        await shell.wrote(/at-prompt $/);
        shell.text = '';
        shell.type('bg\n');
        await until(() => seen(pid) === 'running behind');
        await shell.wrote(/at-prompt $/);
        shell.text = '';
        shell.type('fg\n');
        await until(() => seen(pid) === 'running in front');
        shell.type('\x03');
        expect(await status()).to.equal(130);
        expect(seen(pid)).to.equal('gone');
        await shell.wrote(/at-prompt $/);
        expect((await jobs()).replaceAll('at-prompt ', '')).to.equal('');
      });

      it('what reads behind is stopped until it is in front', async () => {
        const pid = await program('read -r word; echo "read $word"', ' &');
        await until(() => seen(pid) === 'stopped behind');
        // A job of which bash does not know yet that it is stopped it would bring to the front and not continue.
        await until(async () => (await jobs()).includes('Stopped'));
        shell.type('fg\n');
        await until(() => seen(pid) === 'running in front');
        shell.type('typed\n');
        await shell.wrote(/read typed/);
        expect(await status()).to.equal(0);
      });

      it('a change of the size of the terminal is told once', async () => {
        const pid = await program(
          'trap "echo changed" WINCH; stty cols 99; sleep 0.3; stty size; while :; do sleep 0.1; done',
        );
        await shell.wrote(/^changed[^]*\d 99/m);
        expect(shell.text.split('changed').length - 1).to.equal(1);
        shell.type('\x03');
        expect(await status()).to.equal(130);
        expect(seen(pid)).to.equal('gone');
      });

      it('ends when the terminal hangs up', async () => {
        const pid = await program('exec sleep 1000');
        shell.send('SIGKILL');
        await until(() => seen(pid) === 'gone');
      });
    });
  }
});
