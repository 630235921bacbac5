import plugin from 'eslint-plugin-vircommand';
import { test } from '../both-parsers';

const whole = { messageId: 'module' };
const name = { messageId: 'name' };
const allowTypeImports = [{ allowTypeImports: true }];

test(
  'no-child-process',
  plugin.rules['no-child-process'],
  {
    valid: [
      "import { Command } from 'vircommand';",
      "import { spawn } from './child_process';",
      "import childProcess from 'child-process';",
      "const { spawn } = require('./spawn');",
      "const fs = require('node:fs');",
      "function load(require) { return require('child_process'); }",
      "const text = 'child_process';",
      "process.getBuiltinModule('fs');",
      "process.binding('fs');",
      "import { createRequire } from 'node:module'; createRequire(import.meta.url)('node:fs');",
      "const process = { getBuiltinModule() {} }; process.getBuiltinModule('child_process');",
      'const name = process.argv[2]; require(name);',
      'require(`child_${process.argv[2]}`);',
      "export { readFile } from 'node:fs';",
      "require.resolve('child_process');",
      { code: "import { execFile } from 'child_process';", options: [{ allow: ['execFile'] }] },
      { code: "const { execFile } = require('child_process');", options: [{ allow: ['execFile'] }] },
      { code: "require('child_process').execFile('ls');", options: [{ allow: ['execFile'] }] },
      {
        code: "import 'child_process';",
        filename: 'tools/deep/run.js',
        options: [{ allowFiles: ['tools/**/*.js'] }],
      },
    ],
    invalid: [
      { code: "import cp from 'child_process';", errors: [whole] },
      {
        code: "import { spawn } from 'node:child_process';",
        errors: [{ ...name, data: { name: 'spawn', module: 'node:child_process' } }],
      },
      {
        code: "import { spawn, exec as run } from 'child_process';",
        errors: [name, { ...name, data: { name: 'exec', module: 'child_process' } }],
      },
      { code: "import * as cp from 'node:child_process';", errors: [whole] },
      { code: "import 'node:child_process';", output: '', errors: [whole] },
      { code: "import { 'spawn' as s } from 'child_process';", errors: [name] },
      { code: "export { spawn } from 'child_process';", errors: [name] },
      { code: "export * from 'node:child_process';", errors: [whole] },
      { code: "export * as cp from 'node:child_process';", errors: [whole] },
      { code: "const cp = require('child_process');", errors: [whole] },
      { code: 'const cp = require(`node:child_process`);', errors: [whole] },
      { code: "const cp = require('node:' + 'child_process');", errors: [whole] },
      { code: "const id = 'child_process'; require(id);", errors: [whole] },
      { code: "const { spawn, fork } = require('child_process');", errors: [name, name] },
      { code: "require('child_process').exec('ls');", errors: [name] },
      { code: "const cp = await import('node:child_process');", errors: [whole] },
      { code: "const { spawn } = await import('child_process');", errors: [name] },
      { code: "import('child_process').then(run);", errors: [name] },
      { code: "process.binding('spawn_sync');", errors: [{ messageId: 'binding' }] },
      { code: "process['binding']('process_wrap');", errors: [{ messageId: 'binding' }] },
      { code: "globalThis.process.getBuiltinModule('child_process');", errors: [whole] },
      { code: "process.getBuiltinModule?.('child_process');", errors: [whole] },
      { code: "import { getBuiltinModule } from 'node:process'; getBuiltinModule('child_process');", errors: [whole] },
      { code: "const { getBuiltinModule: get } = process; get('child_process');", errors: [whole] },
      { code: "import host from 'process'; host.getBuiltinModule('child_process');", errors: [whole] },
      { code: "module.createRequire(__filename)('child_process');", errors: [whole] },
      {
        code: "import { createRequire } from 'node:module'; const load = createRequire(import.meta.url); load('child_process');",
        errors: [whole],
      },
      {
        code: "import { createRequire as make } from 'module'; const require = make(import.meta.url); require('child_process');",
        errors: [whole],
      },
      { code: "module.require('child_process');", errors: [whole] },
      { code: "process.mainModule.require('child_process');", errors: [whole] },
      {
        code: "import { execFile, spawn } from 'child_process';",
        options: [{ allow: ['execFile'] }],
        errors: [{ ...name, data: { name: 'spawn', module: 'child_process' } }],
      },
      {
        code: "import 'child_process';",
        output: '',
        filename: 'src/run.js',
        options: [{ allowFiles: ['tools/**/*.js', 'src/*/*.js'] }],
        errors: [whole],
      },
    ],
  },
  {
    valid: [
      { code: "import type { ChildProcess } from 'node:child_process';", options: allowTypeImports },
      { code: "import { type ChildProcess } from 'child_process';", options: allowTypeImports },
      { code: "export type { ChildProcess } from 'child_process';", options: allowTypeImports },
      { code: "import type cp = require('child_process');", options: allowTypeImports },
      { code: "type Child = import('child_process').ChildProcess;", options: allowTypeImports },
    ],
    invalid: [
      { code: "import cp = require('child_process');", errors: [whole] },
      { code: "import type { ChildProcess } from 'child_process';", errors: [name] },
      { code: "type Child = import('child_process').ChildProcess;", errors: [whole] },
      {
        code: "import { ChildProcess } from 'child_process'; export let child: ChildProcess;",
        output: "import type { ChildProcess } from 'child_process'; export let child: ChildProcess;",
        options: allowTypeImports,
        errors: [name],
      },
      {
        code: "import { ChildProcess, spawn } from 'child_process'; export let child: ChildProcess = spawn('ls');",
        options: allowTypeImports,
        errors: [name, name],
      },
      { code: "(require as NodeRequire)('child_process');", errors: [whole] },
    ],
  },
);
