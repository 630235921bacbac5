'use strict';
// A TypeDoc plugin: no public name without documentation. TypeDoc has a validation for this, too, which wants it of every
// field of `{ … }` inside a type as well; here what has such a type speaks for its fields.
const { Application, Converter, ReflectionKind } = require('typedoc');

const named =
  ReflectionKind.Variable |
  ReflectionKind.Function |
  ReflectionKind.Class |
  ReflectionKind.Interface |
  ReflectionKind.TypeAlias |
  ReflectionKind.Property |
  ReflectionKind.Method |
  ReflectionKind.Accessor;

/** Of a function its signatures (of overloads one may speak for all), of an accessor that one which reads. */
const spoken = (reflection) =>
  reflection.signatures ?? [reflection.getSignature ?? reflection.type?.declaration?.signatures?.[0] ?? reflection];

/** A name of this package that users can write, and not one that stands in a type without a name. */
function isName(reflection) {
  if (!reflection.kindOf(named) || reflection.inheritedFrom !== undefined || reflection.flags.isExternal) return false;
  // `[Symbol.dispose]` and the like mean everywhere the same.
  if (reflection.name.startsWith('[') || reflection.name === '__type') return false;
  for (let above = reflection.parent; above !== undefined; above = above.parent) {
    if (above.kindOf(ReflectionKind.TypeLiteral)) return false;
  }
  return true;
}

exports.load = (app) => {
  // How `instanceof` works across copies of the library is of no use to a reader.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of Object.values(project.reflections)) {
      if (reflection.name === '[hasInstance]' && reflection.kindOf(ReflectionKind.Method))
        project.removeReflection(reflection);
    }
  });
  app.on(Application.EVENT_VALIDATE_PROJECT, (project) => {
    for (const reflection of Object.values(project.reflections).filter(isName)) {
      if (reflection.hasComment() || spoken(reflection).some((one) => one.hasComment())) continue;
      app.logger.validationWarning(
        `${reflection.getFullName()} (${reflection.sources?.[0]?.fileName}) is not documented`,
      );
    }
  });
};
