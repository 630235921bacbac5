'use strict';
// CommonJS, a backend by name. It starts nothing; the cases that it is tested with need no program to be refused.
exports.backend = Object.freeze({
  contract: 1,
  name: 'refuses',
  features: Object.freeze([]),
  start: () => Promise.reject(new Error('nothing can be started here')),
});
