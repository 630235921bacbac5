import plugin from 'eslint-plugin-vircommand';
import { test } from '../both-parsers';

const head = "import { Command } from 'vircommand'; ";
const start = "await new Command('cat').runAsync()";
const scripts = "import { $, run } from 'vircommand/script'; ";
const script = (code: string, output?: string) => ({
  code: scripts + code,
  errors: [
    {
      messageId: 'process',
      suggestions: output === undefined ? [] : [{ messageId: 'awaitUsing', output: scripts + output }],
    },
  ],
});
const valid = (code: string, options: unknown[] = []) => ({ code: head + code, options });
const invalid = (code: string, messageId: string, fix?: [string, string], options: unknown[] = []) => ({
  code: head + code,
  options,
  errors: [{ messageId, suggestions: fix === undefined ? [] : [{ messageId: fix[0], output: head + fix[1] }] }],
});
const using = (code: string, rest = ''): [string, string] => ['awaitUsing', `await using ${code} = ${start};${rest}`];

test(
  'no-undisposed-running',
  plugin.rules['no-undisposed-running'],
  {
    valid: [
      valid(`await using cat = ${start};`),
      valid(`using cat = ${start};`),
      valid(`const cat = ${start}; await cat.wait();`),
      valid(`const cat = ${start}; try { f(cat.pid); } finally { await cat.abort(); }`),
      valid(`const cat = ${start}; for await (const line of cat.lines()) f(line);`),
      valid(`const cat = ${start}; cat[Symbol.dispose]();`),
      valid(`const cat = ${start}; await cat[Symbol.asyncDispose]();`),
      valid(`await (${start}).wait();`),
      valid(`async function f() { return ${start}; }`),
      valid(`async function f() { const cat = ${start}; return cat; }`),
      valid(`const cat = ${start}; keep(cat);`),
      valid(`keep(${start});`),
      valid(`const cat = ${start}; await using kept = cat;`),
      valid(`this.cat = ${start};`),
      valid(`export const cat = ${start};`),
      valid("new Command('cat').runAsync().then((cat) => cat.wait());"),
      valid("const started = new Command('cat').runAsync(); await using cat = await started;"),
      valid(`const cat = ${start}; const { wait } = cat;`),
      "import { Command } from 'other'; await new Command('cat').runAsync();",
      valid(`await using cat = ${start};`, [{ requireUsing: true }]),
      valid("const { stderr } = await new Command('d').daemonize().setErrorFd('pipe').runAsync(); f(stderr);"),
      valid(
        "const d = new Command('d'); d.daemonize(); const held = await d.runAsync(); await held.handshakeNotify();",
      ),
      `${scripts} await using cat = $\`cat\`; f(cat.pid);`,
      `${scripts} const cat = $\`cat\`; f(cat.pid); await cat;`,
      `${scripts} const cat = run('cat'); try { f(cat.pid); } finally { cat.kill(); }`,
      `${scripts} const cat = run('cat'); f(cat.pid); cat.then(use, report);`,
      `${scripts} const cat = $\`cat\`; keep(cat); const { stdout } = await $\`cat\`; const { pid } = $.sync\`cat\`;`,
      `${scripts} export const cat = $\`cat\`; const start = () => $\`cat\`;`,
      "import { $ } from 'execa'; const cat = $`cat`; f(cat.pid);",
    ],
    invalid: [
      invalid("await new Command('d').daemonize().addArg('a').runAsync();", 'daemon', [
        'useRun',
        "await new Command('d').daemonize().addArg('a').run();",
      ]),
      invalid("const d = new Command('d'); d.daemonize(); await d.runAsync();", 'daemon', [
        'useRun',
        "const d = new Command('d'); d.daemonize(); await d.run();",
      ]),
      invalid(`${start};`, 'dropped', ['useRun', "await new Command('cat').run();"]),
      invalid(`void (${start});`, 'dropped', ['useRun', "void (await new Command('cat').run());"]),
      invalid(`const cat = ${start};`, 'open', using('cat')),
      invalid(`const cat = ${start}; f(cat.pid);`, 'open', using('cat', ' f(cat.pid);')),
      invalid(`const cat = ${start}; cat.kill();`, 'open', using('cat', ' cat.kill();')),
      invalid(`const cat = ${start}; cat.stdin.end('a');`, 'open', using('cat', " cat.stdin.end('a');")),
      invalid(`let cat = ${start}; f(cat.pid);`, 'open'),
      invalid(`const { pid } = ${start};`, 'open'),
      invalid(`const { stdout, stdin } = ${start};`, 'open'),
      invalid(`const cat = ${start}; const { stdout } = cat;`, 'open', using('cat', ' const { stdout } = cat;')),
      invalid(`f((${start}).pid);`, 'open'),
      invalid("new Command('cat').runAsync().then((cat) => { f(cat.pid); });", 'open'),
      invalid("new Command('cat').runAsync().then(({ pid }) => f(pid));", 'open'),
      invalid("const started = new Command('cat').runAsync(); const cat = await started;", 'open', [
        'awaitUsing',
        "const started = new Command('cat').runAsync(); await using cat = await started;",
      ]),
      invalid(`const cat = ${start}; await cat.wait();`, 'using', using('cat', ' await cat.wait();'), [
        { requireUsing: true },
      ]),
      script('const cat = $`cat`; f(cat.pid);', 'await using cat = $`cat`; f(cat.pid);'),
      script("const cat = run('cat'); const { pid } = cat;", "await using cat = run('cat'); const { pid } = cat;"),
      script('const { pid } = $({ cwd })`cat`;'),
      script('f($`cat`.pid);'),
      invalid(`switch (a) { case 1: const cat = ${start}; }`, 'open'),
    ],
  },
  {
    valid: [valid('async function f(cat: Command) { await using running = await cat.runAsync(); }')],
    invalid: [
      invalid('async function f(cat: Command) { const running = await cat.runAsync(); }', 'open', [
        'awaitUsing',
        'async function f(cat: Command) { await using running = await cat.runAsync(); }',
      ]),
    ],
  },
);
