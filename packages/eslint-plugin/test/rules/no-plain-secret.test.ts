import plugin from 'eslint-plugin-vircommand';
import { test } from '../both-parsers';

const head = "import { Command, secret } from 'vircommand'; ";
const valid = (code: string, options: unknown[] = []) => ({ code: head + code, options });
const invalid = (code: string, output: string, name: string, options: unknown[] = [], messageId = 'wrap') => ({
  code: head + code,
  options,
  errors: [{ messageId: 'plain', data: { name }, suggestions: [{ messageId, output: head + output }] }],
});

const scripts = "import { secret } from 'vircommand'; import { $, run, runLines } from 'vircommand/script'; ";
const script = (code: string, output: string | undefined, name: string) => ({
  code: scripts + code,
  errors: [
    {
      messageId: 'plain',
      data: { name },
      suggestions: output === undefined ? [] : [{ messageId: 'wrap', output: scripts + output }],
    },
  ],
});

test(
  'no-plain-secret',
  plugin.rules['no-plain-secret'],
  {
    valid: [
      valid("new Command('curl', ['--user', name]);"),
      valid("new Command('curl', ['--token', secret(token)]);"),
      valid("new Command('curl').addArgPair('--password', secret(x));"),
      valid("new Command('curl').addArg(secret(`--password=${x}`));"),
      valid("const masked = secret(token); new Command('curl', ['--token', masked]);"),
      valid("new Command('curl', ['--password-file', passwordFile]);"),
      valid("new Command('curl', ['--password-file', password]);"),
      valid("new Command('curl', [`--password-file=${path}`]);"),
      valid("new Command('gpg', ['--passphrase-fd', '5']);"),
      valid("new Command('curl', ['--no-password', host]);"),
      valid("new Command('kubectl', ['get', 'secret', name]);"),
      valid("new Command('curl').addArg(compass).addArg(bypassed);"),
      valid("new Command('curl', ['--token']);"),
      valid("new Command('llm', ['--max-tokens', '500', '--password-min', '8', '--min-password-length', '8']);"),
      valid("new Command('aws', ['s3', 'ls', secretsBucket]);"),
      valid("new Command('curl', ['--token', '']).addArgPair('--password', '').addEnvPair('TOKEN', '');"),
      valid("new Command('npm', [], { env: { NODE_AUTH_TOKEN: undefined, PASSWORD: '' } });"),
      valid("new Command('npm', [], { env: { NODE_AUTH_TOKEN: token ? secret(token) : undefined } });"),
      valid("new Command('curl', ['--password=']);"),
      valid("new Command('curl').addEnvPair('API_TOKEN', secret(x));"),
      valid("new Command('curl').addEnvPair('API_TOKEN', x);", [{ environment: false }]),
      valid("new Command('curl', ['--token', x]);", [{ names: ['^pin$'] }]),
      "import { Command } from 'other'; new Command('curl', ['--token', token]);",
      "curl.addArg('--token').addArg(token);",
      "import { $, run } from 'other'; $`curl --token ${token}`; run('curl', ['--token', token]);",
      scripts + "run('curl', ['--token', secret(x)], { env: { TOKEN: secret(x) } }); run('curl', { cwd: password });",
      scripts +
        '$`curl --token=${secret(x)} --password ${secret(y)} ${secret(`--pass=${z}`)} --password-file ${password}`;',
      scripts + "$`${token} --password= --token --user ${name}`; $`kubectl get secret ${name}`; $`curl --token ''`;",
    ],
    invalid: [
      script("run('curl', ['--password', x]);", "run('curl', ['--password', secret(x)]);", '--password'),
      script("runLines('curl', [token], {});", "runLines('curl', [secret(token)], {});", 'token'),
      script("run('curl', { env: { TOKEN: x } });", "run('curl', { env: { TOKEN: secret(x) } });", 'TOKEN'),
      script("run('a', [], { env: { TOKEN: x } });", "run('a', [], { env: { TOKEN: secret(x) } });", 'TOKEN'),
      script('$({ env: { TOKEN: x } })`curl`;', '$({ env: { TOKEN: secret(x) } })`curl`;', 'TOKEN'),
      script('$`curl --token ${x}`;', '$`curl --token ${secret(x)}`;', '--token'),
      script('$.lines`curl --token=${x}`;', '$.lines`curl --token=${secret(x)}`;', '--token'),
      script('$({})`curl -u "a:${password}"`;', '$({})`curl -u "a:${secret(password)}"`;', 'password'),
      script("$`curl ${['--token', x]}`;", "$`curl ${['--token', secret(x)]}`;", '--token'),
      script('$`curl ${`--token=${x}`}`;', '$`curl ${secret(`--token=${x}`)}`;', '--token'),
      script('$`mysql --password=hunter2`;', undefined, '--password'),
      script("$`mysql --password 'hunter2'`;", undefined, '--password'),
      invalid("new Command('curl', ['--token', x]);", "new Command('curl', ['--token', secret(x)]);", '--token'),
      invalid("new Command('curl', [token]);", "new Command('curl', [secret(token)]);", 'token'),
      invalid(
        "new Command('curl', [`--password=${x}`]);",
        "new Command('curl', [secret(`--password=${x}`)]);",
        '--password',
      ),
      invalid(
        "new Command('curl').addArg(`--password=${x}`);",
        "new Command('curl').addArgPair('--password', secret(x));",
        '--password',
        [],
        'pair',
      ),
      invalid(
        "new Command('curl', ['--api-key=' + x]);",
        "new Command('curl', [secret('--api-key=' + x)]);",
        '--api-key',
      ),
      invalid(
        "new Command('curl').addArgPair('--pass', x);",
        "new Command('curl').addArgPair('--pass', secret(x));",
        '--pass',
      ),
      invalid(
        "new Command('curl').addArg('--token').addArg(x);",
        "new Command('curl').addArg('--token').addArg(secret(x));",
        '--token',
      ),
      invalid(
        "new Command('curl').addArgList('--token', x);",
        "new Command('curl').addArgList('--token', secret(x));",
        '--token',
      ),
      invalid(
        "new Command('curl').addArgs(['-u', dbPassword]);",
        "new Command('curl').addArgs(['-u', secret(dbPassword)]);",
        'dbPassword',
        [{ names: ['password$'] }],
      ),
      invalid(
        "new Command('curl').addArg(process.env.DB_PASSWORD);",
        "new Command('curl').addArg(secret(process.env.DB_PASSWORD));",
        'DB_PASSWORD',
      ),
      invalid("new Command('curl').addArg(getToken());", "new Command('curl').addArg(secret(getToken()));", 'getToken'),
      invalid(
        "new Command('curl').addArg(token.trim());",
        "new Command('curl').addArg(secret(token.trim()));",
        'token',
      ),
      invalid(
        "new Command('curl').addArg(`Authorization: Bearer ${user.accessToken}`);",
        "new Command('curl').addArg(secret(`Authorization: Bearer ${user.accessToken}`));",
        'accessToken',
      ),
      invalid(
        "new Command('mysql', ['--password=hunter2']);",
        "new Command('mysql', [secret('--password=hunter2')]);",
        '--password',
      ),
      invalid(
        "new Command('curl').addArgFormat('--token=%s', x);",
        "new Command('curl').addArgFormat('--token=%s', secret(x));",
        '--token',
      ),
      invalid(
        "new Command('curl').addEnvPair('API_TOKEN', x);",
        "new Command('curl').addEnvPair('API_TOKEN', secret(x));",
        'API_TOKEN',
      ),
      invalid(
        "new Command('curl').addEnvString(`API_TOKEN=${x}`);",
        "new Command('curl').addEnvString(secret(`API_TOKEN=${x}`));",
        'API_TOKEN',
      ),
      invalid(
        "new Command('curl', [], { env: { API_TOKEN: x } });",
        "new Command('curl', [], { env: { API_TOKEN: secret(x) } });",
        'API_TOKEN',
      ),
      invalid(
        "new Command('curl', [], { env: { A, password } });",
        "new Command('curl', [], { env: { A, password: secret(password) } });",
        'password',
      ),
      script("run('curl', { env: { TOKEN } });", "run('curl', { env: { TOKEN: secret(TOKEN) } });", 'TOKEN'),
      invalid(
        "const curl = new Command('curl'); curl.addArg(token);",
        "const curl = new Command('curl'); curl.addArg(secret(token));",
        'token',
      ),
      invalid("new Command('card', ['--pin', x]);", "new Command('card', ['--pin', secret(x)]);", '--pin', [
        { names: ['^pin$'] },
      ]),
      {
        code: "import { Command } from 'vircommand'; new Command('curl', [token]);",
        errors: [
          {
            messageId: 'plain',
            suggestions: [
              {
                messageId: 'wrap',
                output: "import { Command, secret } from 'vircommand'; new Command('curl', [secret(token)]);",
              },
            ],
          },
        ],
      },
      {
        code: "const { Command } = require('vircommand'); new Command('curl', [token]);",
        errors: [
          {
            messageId: 'plain',
            suggestions: [
              {
                messageId: 'wrap',
                output: "const { Command, secret } = require('vircommand'); new Command('curl', [secret(token)]);",
              },
            ],
          },
        ],
      },
      {
        code: "import { Command, secret as hide } from 'vircommand'; new Command('curl', [token]);",
        errors: [
          {
            messageId: 'plain',
            suggestions: [
              {
                messageId: 'wrap',
                output: "import { Command, secret as hide } from 'vircommand'; new Command('curl', [hide(token)]);",
              },
            ],
          },
        ],
      },
      {
        code: "import { Command } from 'vircommand'; const secret = 1; new Command('curl', [token]);",
        errors: [{ messageId: 'plain', suggestions: [] }],
      },
    ],
  },
  {
    valid: [
      {
        code: "import { Command, type Secret } from 'vircommand'; export const f = (token: Secret) => new Command('curl', [token]);",
      },
    ],
    invalid: [invalid("new Command('curl', [token!]);", "new Command('curl', [secret(token!)]);", 'token')],
  },
);
