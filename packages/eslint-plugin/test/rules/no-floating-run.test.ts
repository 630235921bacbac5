import plugin from 'eslint-plugin-vircommand';
import { test } from '../both-parsers';

const head = "import { Command } from 'vircommand'; ";
const promise = (output?: string) => ({
  messageId: 'promise',
  suggestions: output === undefined ? [] : [{ messageId: 'await', output: head + output }],
});
const scripts = "import { $, run, runSync, runLines } from 'vircommand/script'; ";
const script = (code: string, messageId: string, output?: string) => ({
  code: scripts + code,
  errors: [{ messageId, suggestions: output === undefined ? [] : [{ messageId: 'await', output: scripts + output }] }],
});
const valid = (code: string, options: unknown[] = []) => ({ code: head + code, options });
const invalid = (code: string, error: object, options: unknown[] = []) => ({
  code: head + code,
  options,
  errors: [error],
});

test(
  'no-floating-run',
  plugin.rules['no-floating-run'],
  {
    valid: [
      valid("await new Command('ls').run();"),
      valid("new Command('ls').runSync();"),
      valid("export function list() { return new Command('ls').run(); }"),
      valid("export const list = () => new Command('ls').addArg('-l').run();"),
      valid("new Command('ls').run().catch(report);"),
      valid("new Command('ls').run().then(use, report);"),
      valid("const result = new Command('ls').run(); await result;"),
      valid("await Promise.all([new Command('a').run(), new Command('b').run()]);"),
      valid("for await (const line of new Command('ls').runLines()) console.log(line);"),
      valid("void new Command('ls').run();"),
      valid("keep(new Command('ls').run());"),
      valid("new Command('ls').toString();"),
      valid("await Promise.all(names.map((name) => new Command('stat', [name]).run()));"),
      valid("new Command('a').run().catch(...handlers); new Command('b').run().then(f, async () => undefined);"),
      valid("const all = names.map((name) => new Command('stat', [name]).run()); await Promise.all(all);"),
      valid("await Promise.all(names.map(async (name) => { return new Command('stat', [name]).run(); }));"),
      valid("keep(names.map((name) => new Command('stat', [name]).run())); names.flatMap(keep).map(f);"),
      valid("names.forEach((name) => new Command('stat', [name]).run().catch(report));"),
      valid("names.forEach((name) => void new Command('stat', [name]).run());"),
      valid(
        "setTimeout(() => { void new Command('ls').run(); }, 9); setTimeout(() => new Command('ls').runSync(), 9);",
      ),
      valid("const start = names.map(() => () => new Command('ls').run()); f(start);"),
      valid("promise.then(() => { return new Command('ls').run(); }).catch(report);"),
      valid("export const running = new Command('ls').run();"),
      `${scripts} await $\`a\`; await run('a'); $.sync\`a\`; $({}).sync\`a\`; runSync('a'); $({ cwd });`,
      `${scripts} for await (const line of $.lines\`a\`) f(line); for await (const line of runLines('a')) f(line);`,
      `${scripts} const a = run('a'); a.kill(); await a; await using b = $\`b\`; $\`c\`.catch(report);`,
      "import { $, run } from 'execa'; $`a`; run('a');",
      "import { run } from 'vircommand'; run('a');",
      'function f($) { $`a`; }',
      "import { Command } from 'commander'; new Command('ls').run();",
      'class Command { run() {} } new Command().run();',
      "import { Command } from './commands'; new Command('ls').run();",
      valid("function f(Command) { new Command('ls').run(); }"),
    ],
    invalid: [
      invalid("new Command('ls').run();", promise("await new Command('ls').run();")),
      invalid("new Command('ls').addArg('-l').run();", promise("await new Command('ls').addArg('-l').run();")),
      invalid(
        "async function f() { const ls = new Command('ls'); ls.run(); }",
        promise("async function f() { const ls = new Command('ls'); await ls.run(); }"),
      ),
      invalid("function f() { new Command('ls').run(); }", promise()),
      invalid("new Command('ls').run().then(use);", promise("await new Command('ls').run().then(use);")),
      invalid("new Command('ls').run().finally(done);", promise("await new Command('ls').run().finally(done);")),
      invalid("new Command('ls').run().catch();", promise("await new Command('ls').run().catch();")),
      invalid("new Command('ls').run().catch(undefined);", promise("await new Command('ls').run().catch(undefined);")),
      invalid(
        "new Command('ls').run().then(use, undefined);",
        promise("await new Command('ls').run().then(use, undefined);"),
      ),
      invalid("new Command('ls').run().then(use, null);", promise("await new Command('ls').run().then(use, null);")),
      invalid(
        "Promise.all(names.map((name) => new Command('stat', [name]).run()));",
        promise("await Promise.all(names.map((name) => new Command('stat', [name]).run()));"),
      ),
      invalid(
        "ready && Promise.allSettled(names.map(async (name) => { return new Command('stat', [name]).run(); }));",
        promise(
          "ready && await Promise.allSettled(names.map(async (name) => { return new Command('stat', [name]).run(); }));",
        ),
      ),
      invalid(
        "ready ? Promise.all([new Command('ls').run()]) : 0;",
        promise("ready ? await Promise.all([new Command('ls').run()]) : 0;"),
      ),
      invalid(
        "(ready && new Command('ls').run()).finally(f);",
        promise("await (ready && new Command('ls').run()).finally(f);"),
      ),
      // To await these would not be to wait for the run.
      invalid("names.map((name) => new Command('stat', [name]).run());", promise()),
      invalid("names.map(function (name) { if (name) return new Command('stat', [name]).run(); });", promise()),
      invalid("[new Command('ls').run()];", promise()),
      invalid("names.forEach(async (name) => new Command('stat', [name]).run());", promise()),
      invalid("names.forEach((name) => { return new Command('stat', [name]).run(); });", promise()),
      invalid("setTimeout(() => new Command('ls').run(), 1000);", promise()),
      invalid("timers.setInterval(async () => new Command('ls').run(), 1000);", promise()),
      invalid("process.nextTick(() => { return new Command('ls').run(); });", promise()),
      invalid("new Command('ls').run?.();", promise("await new Command('ls').run?.();")),
      invalid("if (ready) new Command('ls').runAsync();", promise("if (ready) await new Command('ls').runAsync();")),
      invalid("ready && new Command('ls').run();", promise("ready && await new Command('ls').run();")),
      invalid(
        "ready ? new Command('ls').run() : undefined;",
        promise("ready ? await new Command('ls').run() : undefined;"),
      ),
      invalid("Promise.all([new Command('ls').run()]);", promise("await Promise.all([new Command('ls').run()]);")),
      invalid("names.forEach((name) => new Command('stat', [name]).run());", promise()),
      invalid("const result = new Command('ls').run();", { messageId: 'variable' }),
      invalid("new Command('ls').runLines();", { messageId: 'iterator' }),
      invalid("const rows = new Command('ls').runNul(2);", { messageId: 'iterator' }),
      invalid("void new Command('ls').run();", promise("void await new Command('ls').run();"), [{ ignoreVoid: false }]),
      script("run('sync');", 'promise', "await run('sync');"),
      script('$`sync`;', 'promise', 'await $`sync`;'),
      script("$({ cwd: '/' })({ lines: true })`sync`;", 'promise', "await $({ cwd: '/' })({ lines: true })`sync`;"),
      script('const there = $({ cwd }); there`sync`;', 'promise', 'const there = $({ cwd }); await there`sync`;'),
      script('ready && $`sync`.then(f);', 'promise', 'ready && await $`sync`.then(f);'),
      script('const a = $`a`;', 'variable'),
      script('$.lines`a`;', 'iterator'),
      script("const rows = runLines('a');", 'iterator'),
      {
        code: "import { run as go } from 'vircommand/script'; function f() { go('a'); }",
        errors: [promise()],
      },
      {
        code: "const script = require('vircommand/script'); function f() { script.run('a'); script.$`a`; }",
        errors: [promise(), promise()],
      },
      {
        code: "import { createScript } from '@vircommand/script'; const { $: sh, run } = createScript(C); function f() { sh`a`; run('a'); createScript(C).run('a'); }",
        errors: [promise(), promise(), promise()],
      },
      {
        code: "import { $ } from '../script'; function f() { $`a`; }",
        settings: { vircommand: { modules: ['../script'] } },
        errors: [promise()],
      },
      {
        code: "const { Command } = require('@vircommand/posix'); function f() { new Command('ls').run(); }",
        errors: [promise()],
      },
      {
        code: "import * as vc from '@vircommand/child-process'; const C = vc.Command; function f() { new C('ls').run(); }",
        errors: [promise()],
      },
      {
        code: "import { Command as Program } from 'vircommand/posix'; function f() { new Program('ls').clone().run(); }",
        errors: [promise()],
      },
      {
        code: "import { Command } from '../command'; function f() { new Command('ls').run(); }",
        settings: { vircommand: { modules: ['../command'] } },
        errors: [promise()],
      },
    ],
  },
  {
    valid: [valid('function f(ls: Command) { return ls.run(); }'), valid('function f(ls: Runner) { ls.run(); }')],
    invalid: [
      invalid('function f(ls: Command) { ls.run(); }', promise()),
      invalid("function f() { (new Command('ls') as Command).run()!; }", promise()),
    ],
  },
);
