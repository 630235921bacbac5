import plugin from 'eslint-plugin-vircommand';
import { test } from '../both-parsers';

const head = "import { Command } from 'vircommand'; ";
const scripts = "import { $, run, runSync } from 'vircommand/script'; ";
const script = (code: string, output?: string, messageId = 'built', options: unknown[] = []) => ({
  code: scripts + code,
  options,
  errors: [
    { messageId, suggestions: output === undefined ? [] : [{ messageId: 'positional', output: scripts + output }] },
  ],
});
const valid = (code: string, options: unknown[] = []) => ({ code: head + code, options });
const invalid = (code: string, output?: string, messageId = 'built', options: unknown[] = []) => ({
  code: head + code,
  options,
  errors: [
    { messageId, suggestions: output === undefined ? [] : [{ messageId: 'positional', output: head + output }] },
  ],
});

test(
  'no-shell-string',
  plugin.rules['no-shell-string'],
  {
    valid: [
      valid("new Command('sh', ['-c', 'sort | uniq']);"),
      valid("new Command('sh', ['-c', `sort | uniq`]);"),
      valid("new Command('sh', ['-c', 'sort ' + '| uniq']);"),
      valid("const script = 'sort | uniq'; new Command('bash', ['-c', script]);"),
      valid("const pipe = '|'; new Command('bash', ['-c', `sort ${pipe} uniq`]);"),
      valid("new Command('sh', ['-c', 'grep \"$1\"', 'sh', `${pattern}x`]);"),
      valid("new Command('sh', ['script.sh', `${a}`]);"),
      valid("new Command('grep', ['-c', `${a}`]);"),
      valid("new Command('env', ['grep', '-c', `${a}`]);"),
      valid("new Command('sh').addArgs(['-c', 'true']);"),
      valid("new Command('cmd', ['/c', 'dir', 'C:\\\\']);"),
      valid("new Command('cmd', ['/s', `${a}`]);"),
      valid("new Command('sh', ['-c', script]);"),
      valid("new Command(program, ['-c', `${a}`]);"),
      valid("new Command('sh', ['-c', String.raw`printf '\\n'`]);"),
      "import { Command } from 'other'; new Command('sh', ['-c', `${a}`]);",
      "import { $, run } from 'other'; run('sh', ['-c', `${a}`]); $`sh -c ${`rm ${a}`}`;",
      scripts +
        "run('sh', ['-c', 'rm \"$1\"', 'sh', `${a}`]); run('sh', { cwd: `${a}` }); run('grep', ['-c', `${a}`]);",
      scripts +
        '$`sh -c \'rm "$1"\' sh ${`${a}x`}`; $`sh -c "rm a" ${`${a}`}`; $`grep -c ${`${a}`}`; $`sh "${a} -c" b`;',
      scripts + "$`sh -c ${'sort | uniq'}`; const pipe = '|'; $`sh -c 'sort ${pipe} uniq'`; $`sh -c ${a}`;",
    ],
    invalid: [
      invalid("new Command('sh', ['-c', `rm ${a}`]);", "new Command('sh', ['-c', 'rm \"$1\"', 'sh', a]);"),
      invalid(
        "new Command('/bin/bash', ['-ec', `cp 'a b' ${a.b} x/${f(b)}`]);",
        "new Command('/bin/bash', ['-ec', 'cp \\'a b\\' \"$1\" x/\"$2\"', 'bash', a.b, f(b)]);",
      ),
      invalid("new Command('sh', ['-c', 'rm ' + a]);"),
      invalid("new Command('sh', ['-c', ['rm', a].join(' ')]);"),
      invalid("new Command('sh', ['-c', 'rm A'.replace('A', a)]);"),
      invalid("new Command('sh', ['-c', a ? `rm ${a}` : 'true']);"),
      invalid("const script = `rm ${a}`; new Command('zsh', ['-c', script]);"),
      invalid(
        "const args = ['-c', `rm ${a}`]; new Command('sh', args);",
        "const args = ['-c', 'rm \"$1\"', 'sh', a]; new Command('sh', args);",
      ),
      invalid(
        "new Command('dash').addArg('-c').addArg(`rm ${a}`);",
        "new Command('dash').addArg('-c').addArgList('rm \"$1\"', 'dash', a);",
      ),
      invalid(
        "new Command('sh').addArgs(['-c', `rm ${a}`]);",
        "new Command('sh').addArgs(['-c', 'rm \"$1\"', 'sh', a]);",
      ),
      invalid(
        "new Command('sh').addArgList('-c', `rm ${a}`);",
        "new Command('sh').addArgList('-c', 'rm \"$1\"', 'sh', a);",
      ),
      invalid("const sh = new Command('sh'); sh.addArg('-c'); sh.addArg('rm ' + a);"),
      invalid("new Command('sh').addArg('-c').addArgFormat('rm %s', a);"),
      invalid(
        "new Command('env', ['A=1', 'sh', '-c', `rm ${a}`]);",
        "new Command('env', ['A=1', 'sh', '-c', 'rm \"$1\"', 'sh', a]);",
      ),
      invalid(
        "new Command('sudo', ['-n', '/bin/sh', '-c', `rm ${a}`]);",
        "new Command('sudo', ['-n', '/bin/sh', '-c', 'rm \"$1\"', 'sh', a]);",
      ),
      invalid("new Command('cmd.exe', ['/d', '/c', 'del', `${a}.txt`]);", undefined, 'builtOther'),
      invalid("new Command('pwsh', ['-Command', `Remove-Item ${a}`]);", undefined, 'builtOther'),
      script("run('sh', ['-c', `rm ${a}`]);", "run('sh', ['-c', 'rm \"$1\"', 'sh', a]);"),
      script("runSync('bash', ['-c', 'rm ' + a], { cwd });"),
      script("$`sh -c ${'rm ' + a}`;"),
      script("$({ cwd: '/' }).sync`sh -c 'rm ${a}'`;"),
      script('$`sh -c "rm "${a}`;'),
      script('$`sudo -n /bin/sh -c rm\\ ${a}`;'),
      script(
        "const args = ['-c', `rm ${a}`]; $`sh ${args}`;",
        "const args = ['-c', 'rm \"$1\"', 'sh', a]; $`sh ${args}`;",
      ),
      script('$`cmd /c del ${`${a}.txt`}`;', undefined, 'builtOther'),
      script('$`sh -c ${script}`;', undefined, 'unknown', [{ unknown: true }]),
      // What would mean something else after the change is left to its author.
      invalid("new Command('sh', ['-c', `echo $(cat ${a})`]);"),
      // So is what would leave the value to be read as code.
      ...[
        'eval ${a}',
        'true;eval ${a}',
        "sh -c 'echo ${a}'",
        '/bin/bash -c ${a}',
        'su root -c ${a}',
        'env python3 -Ic ${a}',
        'ssh host ${a}',
        'trap ${a} EXIT',
        'awk ${a} file',
        "grep '${a}' file",
        'grep "${a}" file',
        'f() { rm "$X"; }; f ${a}',
        'function f { ls; }; rm ${a}',
        'set -- b; rm ${a}',
        'while shift; do rm ${a}; done',
      ].map((text) => invalid(`new Command('sh', ['-c', \`${text}\`]);`)),
      ...['./set.sh', 'git-shell', 'cp offset', 'grep -i'].map((text) =>
        invalid(`new Command('sh', ['-c', \`${text} \${a}\`]);`, `new Command('sh', ['-c', '${text} "$1"', 'sh', a]);`),
      ),
      invalid("new Command('sh', ['-c', `echo \\\\${a}`]);"),
      invalid("new Command('sh', ['-c', `echo \"$1\" ${a}`, 'sh', b]);"),
      invalid("new Command('sh', ['-c', script]);", undefined, 'unknown', [{ unknown: true }]),
      invalid("new Command('sh', ['-c', ...rest]);", undefined, 'unknown', [{ unknown: true }]),
    ],
  },
  {
    valid: [valid("new Command('sh', ['-c', 'true' as const]);")],
    invalid: [invalid("new Command('sh', ['-c', `rm ${a}` as string]);", undefined)],
  },
);
