'use strict';
// A TypeDoc plugin: a module is called what users import, not where its source is.
const { Converter, ReflectionKind } = require('typedoc');

/** `core/src/backend` to `@vircommand/core/backend`. */
const imported = (name) => {
  const [, directory, inner = ''] = /^([\w-]+)\/src(?:\/([\w/-]+))?$/.exec(name) ?? [];
  if (directory === undefined) throw new Error(`no package has the module ${name}`);
  const main = directory === 'vircommand' ? directory : `@vircommand/${directory}`;
  return inner === '' ? main : `${main}/${inner}`;
};

exports.load = (app) => {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_, reflection) => {
    if (reflection.kindOf(ReflectionKind.Module)) reflection.name = imported(reflection.name);
  });
};
