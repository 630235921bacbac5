// What these tests record is made and thrown away by themselves. On a server that sets CI only replay would be allowed.
const variables = ['CI', 'VIRCOMMAND_RECORD'] as const;
const given = new Map(variables.map((name) => [name, process.env[name]]));

before(() => {
  for (const name of variables) Reflect.deleteProperty(process.env, name);
});

after(() => {
  for (const [name, value] of given) if (value !== undefined) process.env[name] = value;
});
