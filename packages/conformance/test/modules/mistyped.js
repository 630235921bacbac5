'use strict';
exports.subject = {
  name: 'mistyped',
  create: () => require('./backend.js').backend,
  knownFailures: { 'no.such-case': 'https://example.org/1' },
};
