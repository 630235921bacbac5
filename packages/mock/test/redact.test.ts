import { expect } from 'chai';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { secret, type CommandConstructor } from '@vircommand/core';
import type { LaunchPlan } from '@vircommand/core/backend';
import { Redactor } from '../src/redact';
import { loginsIn } from '../src/secrets';
import { createMock } from '@vircommand/mock';
import { failure } from './failures';
import { Scratch } from './scratch';

/** The plan of a command that says nothing. */
async function plainPlan(): Promise<LaunchPlan> {
  const mock = createMock();
  mock.on('p').reply({});
  await new mock.Command('p').run();
  return mock.onlyCall().plan;
}

describe('redaction', () => {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = new Scratch();
  });
  afterEach(() => {
    scratch.remove();
  });

  const token = 'hunter2-and-more';

  it('secrets are in no file, wherever the program shows them, and are there again in the replay', async () => {
    const run = async (Command: CommandConstructor) => {
      const script = 'echo "$1 $TOKEN"; echo "${2#*=}" >&2; cat';
      const command = new Command('sh', ['-c', script, 'sh'], { stdout: 'text', stderr: 'text' })
        .addArg(secret('hunter1-and-more'))
        .addArgPair('--token', secret(token))
        .addEnvPair('TOKEN', secret('hunter3-and-more'))
        .setInputBuffer(secret('hunter4-and-more\n'));
      const { stdout, stderr } = await command.run();
      return [stdout, stderr, command.runSync().stdout];
    };
    const recorded = await scratch.record(run);
    expect(recorded[0]).to.equal('hunter1-and-more hunter3-and-more\nhunter4-and-more\n');
    expect(scratch.text).to.contain('<secret:argv.4>').and.contain('<secret:stdin>').and.not.contain('hunter');
    expect(await scratch.replay(run)).to.deep.equal(recorded);
  });

  it('of a formatted value the part that is a secret is known alone', async () => {
    const run = (value: string) => async (Command: CommandConstructor) => {
      const script = 'echo "token ${1##* } is invalid"; p=${URL#*:*:}; echo "login failed: ${p%@*}"';
      const command = new Command('sh', ['-c', script, 'sh'], { stdout: 'text' })
        .addArgFormat('Authorization: Bearer %s', secret(`${value}-1`))
        .addEnvFormat('URL=postgres://bob:%s@db', secret(`${value}-2`));
      return (await command.run()).stdout;
    };
    expect(await scratch.record(run(token))).to.equal(`token ${token}-1 is invalid\nlogin failed: ${token}-2\n`);
    expect(scratch.text).to.contain('token <secret:argv.4.part.1> is invalid').and.not.contain('hunter');
    expect(await scratch.replay(run('other'))).to.equal('token other-1 is invalid\nlogin failed: other-2\n');
  });

  it('a secret is known without the newline at its end, and line by line', async () => {
    const run = (value: string) => async (Command: CommandConstructor) => {
      const script = 'read u; read p; echo "bad password $p" >&2; echo "$(echo "$1") $(echo "$KEY" | tail -n 1)"';
      const command = new Command('sh', ['-c', script, 'sh'], { stdout: 'text', stderr: 'text' })
        .addArg(secret(`${value}-1\n`))
        .addEnvPass('PATH')
        .addEnvPair('KEY', secret(`first\n  ${value}-2`))
        .setInputBuffer(secret(`bob\n${value}-3\n`));
      const { stdout, stderr } = await command.run();
      return stdout + stderr;
    };
    expect(await scratch.record(run(token)))
      .to.contain(`${token}-1   ${token}-2\n`)
      .and.contain(`${token}-3`);
    expect(scratch.text)
      .to.contain('bad password <secret:stdin.line.2>')
      .and.contain('<secret:argv.4.text>   <secret:env.KEY.line.2>')
      .and.not.contain('hunter');
    expect(await scratch.replay(run('other')))
      .to.contain(`other-1   other-2\n`)
      .and.contain(`password other-3`);
  });

  it('a short line of a secret is hidden where it comes, and no reason to refuse what others say', async () => {
    const run = async (Command: CommandConstructor) => {
      const command = new Command('cat', [], { stdin: { input: secret('[core]\npass = hunter2\n') }, stdout: 'text' });
      await command.run();
      return (await new Command('echo', ['[core]'], { stdout: 'text' }).run()).stdout;
    };
    await scratch.record(run);
    expect(await scratch.replay(run)).to.equal('[core]\n');
    const telling = await failure(
      scratch.record(async (Command) => {
        await run(Command);
        await new Command('echo', ['pass = hunter2']).run();
      }),
    );
    expect(telling.message).to.contain('call 3 would hold the value of secret:stdin.line.2');
  });

  it('a secret may be large', async () => {
    const run = (value: string) => async (Command: CommandConstructor) => {
      const command = new Command('cat', [], { stdout: 'text' });
      const { stdout } = await command.setInputBuffer(secret(value.repeat(100_000))).run();
      return stdout === value.repeat(100_000);
    };
    expect(await scratch.record(run('first'))).to.equal(true);
    expect(scratch.text).to.contain('"<secret:stdin>"').and.not.contain('first');
    expect(await scratch.replay(run('other'))).to.equal(true);
  });

  it('other secrets give the same file, and the replay shows those of its own run', async () => {
    const run = (value: string) => async (Command: CommandConstructor) =>
      (await new Command('echo', [], { stdout: 'text' }).addArg(secret(value)).run()).stdout;
    await scratch.record(run('first-secret'));
    const { text } = scratch;
    expect(await scratch.replay(run('other-secret'))).to.equal('other-secret\n');
    await scratch.record(run('other-secret'));
    expect(scratch.text).to.equal(text);
  });

  it('a secret that comes back in a way nobody could know is not saved: the call is named, the old file stays', async () => {
    const run = async (Command: CommandConstructor) => {
      await new Command('echo').addArg(secret(token)).run();
      await new Command('echo', [token]).run();
    };
    const error = await failure(scratch.record(run));
    expect(error.code).to.equal('ERR_RECORDING_SECRET');
    expect(error.message).to.contain('call 2 would hold the value of secret:argv.1').and.not.contain(token);
    expect(await failure(scratch.replay(run))).to.include({ code: 'ERR_RECORDING_MISSING' });
  });

  it('a secret that comes in parts, with something in between, is not saved', async () => {
    const run = async (Command: CommandConstructor) => {
      // What the caller sends in between keeps the parts apart, however fast they come.
      const script = 'printf %.5s "$1"; read line; echo "${1#?????}"';
      const command = new Command('sh', ['-c', script, 'sh', secret(token)], { stdin: 'pipe', stdout: 'pipe' });
      const running = await command.runAsync();
      await once(running.stdout, 'data');
      running.stdin.end('on\n');
      running.stdout.resume();
      await running.wait();
    };
    const error = await failure(scratch.record(run));
    expect(error.code).to.equal('ERR_RECORDING_SECRET');
    expect(error.message).to.contain('the value of secret:argv.4, one part of it after another in its stdout');
    await scratch.record(run, { redact: [token.slice(0, 5)] });
    await scratch.replay(run, { redact: [token.slice(0, 5)] });
  });

  it('what looks like a token is not saved', async () => {
    const run = (Command: CommandConstructor) => new Command('echo', [`ghp_${'a'.repeat(36)}`]).run();
    const error = await failure(scratch.record(run));
    expect(error.message).to.contain('a token of GitHub');
    await scratch.record(run, { redact: [/ghp_\w+/] });
    await scratch.replay(run, { redact: [/ghp_\w+/] });
  });

  it('a JSON web token is found, wherever it is', () => {
    const redactor = new Redactor({ redact: [], placeholders: {}, env: [] });
    const jwt = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.${'c'.repeat(43)}`;
    for (const text of [jwt, `token: "${jwt}"`, `a.b.${jwt}.eyJ`, `-eyJ.eyJ-${jwt}`])
      expect(redactor.leak(text), text).to.equal('a JSON web token');
    for (const text of [`x${jwt}`, jwt.replace('.', ''), jwt.slice(0, -35), jwt.slice(jwt.indexOf('.'))])
      expect(redactor.leak(text), text).to.equal(undefined);
  });

  it('text that is made of beginnings of secrets is searched as quickly as another', async () => {
    const redactor = new Redactor({ redact: [], placeholders: {}, env: [] });
    const call = redactor.forCall(await plainPlan());
    for (const beginning of ['-eyJ', '.eyJ', 'eyJ', '-----BEGIN ', 'ghp_', 'a://', 'a:', '<secret:', '<redacted:']) {
      const text = beginning.repeat(1_000_000 / beginning.length);
      // What takes the square of the length takes hours.
      expect(redactor.leak(text), beginning).to.equal(undefined);
      expect(call.show(call.hide(text)) === text, beginning).to.equal(true);
      expect(loginsIn('secret:stdin', text), beginning).to.have.lengthOf(0);
    }
  });

  it('values of variables are not stored unless their names are given; those of sensitive names are hidden in output', async () => {
    const run = async (Command: CommandConstructor) => {
      const command = new Command('sh', ['-c', 'echo "$API_KEY $REGION $MODE"'], { stdout: 'text' });
      return (
        await command.addEnvPair('API_KEY', 'key-0123456789').addEnvPair('REGION', 'eu').addEnvPair('MODE', 'm').run()
      ).stdout;
    };
    const options = { env: ['REGION'] };
    await scratch.record(run, options);
    expect(scratch.text).to.contain('"env": { "API_KEY": null, "REGION": "eu", "MODE": null }');
    expect(scratch.text).to.contain('<env:API_KEY> eu m').and.to.not.contain('key-0123456789');
    expect(await scratch.replay(run, options)).to.equal('key-0123456789 eu m\n');
  });

  describe('a URL with a password in it', () => {
    const url = (password: string) => `postgres://bob:${password}@db/x`;

    it('is hidden in output whatever the name of its variable, and so are its parts', async () => {
      const run = (password: string) => async (Command: CommandConstructor) => {
        const script = 'p=${DATABASE_URL#*:*:}; echo "$DATABASE_URL"; echo "bob:${p%@*}@ ${p%@*} $DECODED $HOST"';
        const command = new Command('sh', ['-c', script], { stdout: 'text' })
          .addEnvPair('DATABASE_URL', url(password))
          .addEnvPair('DECODED', decodeURIComponent(password))
          .addEnvPair('HOST', 'http://db:5432/bob@x');
        return (await command.run()).stdout;
      };
      const [one, other] = [`${token}%2F1`, `other-and-more%2F1`];
      expect(await scratch.record(run(one))).to.contain(`${url(one)}\nbob:${one}@ ${one} ${token}/1 http:`);
      expect(scratch.text)
        .to.contain('"<env:DATABASE_URL>"')
        .and.contain(
          '<env:DATABASE_URL.login.1> <env:DATABASE_URL.password.1> <env:DATABASE_URL.password.1.decoded> http://db:5432/bob@x',
        )
        .and.not.contain('hunter');
      expect(await scratch.replay(run(other))).to.contain(
        `${url(other)}\nbob:${other}@ ${other} other-and-more/1 http:`,
      );
    });

    it('is not saved where its password comes back in a way that nobody could know', async () => {
      const error = await failure(
        scratch.record(async (Command) => {
          await new Command('true').addEnvPair('DATABASE_URL', url(token)).run();
          await new Command('echo', [token]).run();
        }),
      );
      expect(error.message).to.contain('call 2 would hold the value of env:DATABASE_URL.password.1');
    });

    it('may be stored where its variable is allowed by name', async () => {
      const run = (Command: CommandConstructor) => new Command('true').addEnvPair('DATABASE_URL', url(token)).run();
      await scratch.record(run, { env: ['DATABASE_URL'] });
      expect(scratch.text).to.contain(url(token));
    });

    it('is known by its password in a secret, too', async () => {
      const run = async (Command: CommandConstructor) => {
        const command = new Command('sh', ['-c', 'p=${1#*:*:}; echo "${p%@*}"', 'sh'], { stdout: 'text' });
        return (await command.addArg(secret(url(token))).run()).stdout;
      };
      expect(await scratch.record(run)).to.equal(`${token}\n`);
      expect(scratch.text).to.contain('"<secret:argv.4.password.1>"').and.not.contain('hunter');
      expect(await scratch.replay(run)).to.equal(`${token}\n`);
    });

    it('a short password in a secret is hidden where it comes, and no reason to refuse what others say', async () => {
      const run = async (Command: CommandConstructor) => {
        await new Command('echo', ['test'], { stdout: 'text' }).addArg(secret(url('test'))).run();
        return (await new Command('echo', ['test'], { stdout: 'text' }).run()).stdout;
      };
      await scratch.record(run);
      expect(await scratch.replay(run)).to.equal('test\n');
    });

    it('a password that is the name of the user is a word like others', async () => {
      const run = async (Command: CommandConstructor) => {
        const command = new Command('echo', ['postgres'], { stdout: 'text' });
        return (await command.addEnvPair('DB', 'postgres://postgres:postgres@db').run()).stdout;
      };
      await scratch.record(run);
      expect(scratch.text).to.contain('"postgres"').and.not.contain('env:DB');
    });
  });

  it('sensitive variables of this process are hidden also where the program is given an environment', async () => {
    const { API_TOKEN } = process.env;
    const run = (options: { env?: Record<string, string> }) => async (Command: CommandConstructor) => {
      const argument = `Bearer ${process.env.API_TOKEN}`;
      const command = new Command('sh', ['-c', 'echo "$1 $API_TOKEN"', 'sh', argument], {
        stdout: 'text',
        envPass: ['PATH'],
        ...options,
      });
      return (await command.run()).stdout;
    };
    try {
      process.env.API_TOKEN = token;
      expect(await scratch.record(run({}))).to.equal(`Bearer ${token} \n`);
      expect(scratch.text).to.contain('Bearer <env:API_TOKEN>').and.not.contain('hunter');
      process.env.API_TOKEN = 'another-token';
      expect(await scratch.replay(run({}))).to.equal('Bearer another-token \n');
      const own = { env: { API_TOKEN: 'token-of-its-own' } };
      await scratch.record(run(own));
      expect(scratch.text)
        .to.contain('Bearer <env:API_TOKEN.inherited> <env:API_TOKEN>')
        .and.not.match(/another|own/);
      expect(await scratch.replay(run(own))).to.equal('Bearer another-token token-of-its-own\n');
    } finally {
      if (API_TOKEN === undefined) delete process.env.API_TOKEN;
      else process.env.API_TOKEN = API_TOKEN;
    }
  });

  describe('a recording that asks for a secret variable of this process', () => {
    const { API_TOKEN } = process.env;
    beforeEach(() => {
      process.env.API_TOKEN = token;
    });
    afterEach(() => {
      if (API_TOKEN === undefined) delete process.env.API_TOKEN;
      else process.env.API_TOKEN = API_TOKEN;
    });
    const asked = ['<env:API_TOKEN>', ''];
    /** What somebody else has written into the file. */
    const forge = (change: (call: { events?: object[]; outcome?: object }) => void): void => {
      const tape = JSON.parse(scratch.text) as { calls: { events?: object[]; outcome?: object }[] };
      for (const call of tape.calls) change(call);
      scratch.text = JSON.stringify(tape);
    };

    it('gets nothing that the call does not say', async () => {
      const run = async (Command: CommandConstructor) => {
        // Another call says it, and that one alone.
        await new Command('echo', [token], { stdout: 'text' }).run();
        const command = new Command('true', [], { stdout: 'text', stderr: 'text' });
        const { stdout, stderr } = await command.run();
        return [stdout, stderr, command.runSync().stdout];
      };
      await scratch.record(run);
      forge((call) => {
        if (call.events !== undefined) call.events = [{ stdout: asked }, { stderr: asked }, { exit: 0 }];
        else call.outcome = { stdout: asked, exit: 0 };
      });
      const given = '<env:API_TOKEN>\n';
      expect(await scratch.replay(run)).to.deep.equal([given, given, given]);
    });

    it('gets nothing by a failed start', async () => {
      const run = (Command: CommandConstructor) => new Command('true').run();
      await scratch.record(run);
      forge((call) => {
        call.events = [{ startError: { stage: 'exec', code: 'ENOENT', reason: asked[0] ?? '' } }];
      });
      const { message } = await failure(scratch.replay(run));
      expect(message).to.contain('<env:API_TOKEN>').and.not.contain(token);
    });

    it('gets what the call was given, and what was sent to the program by then', async () => {
      const run = async (Command: CommandConstructor) => {
        const passed = new Command('sh', ['-c', 'echo "$API_TOKEN"'], { stdout: 'text' }).addEnvPass('API_TOKEN');
        const running = await new Command('cat', [], { stdin: 'pipe', stdout: 'pipe' }).runAsync();
        running.stdin.end(`${process.env.API_TOKEN}\n`);
        const copied = await text(running.stdout);
        await running.wait();
        const sync = new Command('cat', [], { stdin: { input: `${process.env.API_TOKEN}\n` }, stdout: 'text' });
        return [(await passed.run()).stdout, copied, sync.runSync().stdout];
      };
      const shown = (value: string) => Array<string>(3).fill(`${value}\n`);
      expect(await scratch.record(run)).to.deep.equal(shown(token));
      expect(scratch.text).to.not.contain(token);
      process.env.API_TOKEN = 'another-token';
      expect(await scratch.replay(run)).to.deep.equal(shown('another-token'));
      // It writes before it has read.
      forge((call) => {
        if (call.events?.some((event) => 'stdin' in event) === true) call.events.unshift({ stdout: asked });
      });
      let first = '';
      const early = async (Command: CommandConstructor) => {
        const running = await new Command('cat', [], { stdin: 'pipe', stdout: 'pipe' }).runAsync();
        first = String((await once(running.stdout, 'data'))[0]);
        running.stdin.end(`${process.env.API_TOKEN}\n`);
        running.stdout.resume();
        await running.wait();
      };
      expect((await failure(scratch.replay(early))).code).to.equal('ERR_RECORDING_UNUSED');
      expect(first).to.equal('<env:API_TOKEN>\n');
    });
  });

  it('rules hide text and patterns; what the call says itself is put back', async () => {
    const run = async (Command: CommandConstructor) =>
      (await new Command('echo', ['id=42', 'internal.example.com'], { stdout: 'text' }).run()).stdout;
    const options = { redact: ['internal.example.com', /id=\d+/] };
    await scratch.record(run, options);
    expect(scratch.text).to.not.match(/internal|id=42/);
    expect(await scratch.replay(run, options)).to.equal('id=42 internal.example.com\n');
  });

  it('placeholders stand for what differs from machine to machine, and are put back', async () => {
    const run = (directory: string) => async (Command: CommandConstructor) =>
      (await new Command('echo', [`${directory}/x`], { stdout: 'text' }).run()).stdout;
    const options = (work: string) => ({ placeholders: { work } });
    await scratch.record(run('/srv/first'), options('/srv/first'));
    expect(scratch.text).to.contain('<work>/x').and.to.not.contain('/srv/first');
    expect(await scratch.replay(run('/srv/second'), options('/srv/second'))).to.equal('/srv/second/x\n');
    const pattern = { placeholders: { job: /job-\w+/ } };
    await scratch.record(run('/job-a1'), pattern);
    expect(await scratch.replay(run('/job-zz'), pattern)).to.equal('/job-zz/x\n');
  });

  it('paths of this machine are placeholders where they are whole paths', async () => {
    const redactor = new Redactor({ redact: [], placeholders: {}, env: [] }).forCall(await plainPlan());
    const cwd = process.cwd();
    expect(redactor.hide(`${cwd} ${cwd}/a ${process.execPath}`)).to.equal('<cwd> <cwd>/a <node>');
    // Another placeholder may be in these, where the project lies below the temporary directory or the home.
    expect(redactor.hide(`${cwd}x .${cwd}`)).to.not.contain('<cwd>');
    expect(redactor.show('<cwd>/a <node>')).to.equal(`${cwd}/a ${process.execPath}`);
  });

  describe('where the working directory or HOME is /', () => {
    const { HOME } = process.env;
    const before = process.cwd();
    afterEach(() => {
      process.chdir(before);
      if (HOME === undefined) delete process.env.HOME;
      else process.env.HOME = HOME;
    });
    /** Whoever calls uses paths of the machine that he is on. */
    const here = async (Command: CommandConstructor): Promise<string[]> => {
      const cwd = process.cwd().replace(/\/$/, '');
      const home = (process.env.HOME ?? '').replace(/\/$/, '');
      const paths = [`${cwd}/a`, `--from=${home}/b:${cwd}/c`, `${cwd}${tmpdir()}/d`, home === '' ? '/' : home];
      const echo = new Command('echo', paths, { stdout: 'text' });
      const cat = new Command('cat', [], { stdout: 'text', stdin: { input: `${cwd}/in` } });
      const [{ stdout }, copied] = [await echo.run(), cat.runSync()];
      expect(stdout).to.equal(`${paths.join(' ')}\n`);
      return [stdout, copied.stdout];
    };

    it('recordings made elsewhere have placeholders for them: calls are found, and / is put back', async () => {
      process.chdir(scratch.directory);
      process.env.HOME = path.join(scratch.directory, 'home');
      await scratch.record(here);
      expect(scratch.text).to.contain('"<cwd>/a"').and.contain('<home>/b').and.contain('"<home>"');
      process.chdir('/');
      process.env.HOME = '/';
      const paths = `/a --from=/b:/c ${tmpdir()}/d /\n`;
      expect(await scratch.replay(here)).to.deep.equal([paths, '/in']);
      process.env.HOME = '/root';
      expect((await scratch.replay(here))[0]).to.equal(`/a --from=/root/b:/c ${tmpdir()}/d /root\n`);
    });

    it('nothing is hidden for it, and a call that is unknown is told in those words', async () => {
      await scratch.record((Command) => new Command('echo', [`${before}/a`, 'b'], { stdout: 'text' }).run());
      process.chdir('/');
      const error = await failure(
        scratch.replay((Command) => new Command('echo', ['/a', 'c'], { stdout: 'text' }).run()),
      );
      expect(error.message).to.contain("argument 2: expected 'b', got 'c'").and.not.contain('argument 1');
      await scratch.record((Command) => new Command('echo', ['/a', '/'], { stdout: 'text' }).run());
      expect(scratch.text).to.contain('["/a", "/"]').and.contain('["/a /", ""]');
    });
  });

  it('show() gives back what hide() took, whatever the text', async () => {
    const plan = await plainPlan();
    const redactor = new Redactor({ redact: ['abc', /x+/], placeholders: { name: 'bcd', n: /\d{2}/ }, env: [] });
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '<',
        '>',
        '<<>',
        '<cwd>',
        '<name>',
        '<redacted:1>',
        '<secret:argv.1>',
        'abcd',
        'xx',
        '42',
        process.cwd(),
      ),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        const call = redactor.forCall(plan);
        const hidden = call.hide(text);
        expect(call.show(hidden)).to.equal(text);
        expect(hidden).to.not.contain('abc');
        const bytes = Buffer.concat([Buffer.from(text), Buffer.of(0xff)]);
        expect(call.showBytes(call.hideBytes(bytes)).equals(bytes)).to.equal(true);
      }),
      { numRuns: 500 },
    );
  });
});
