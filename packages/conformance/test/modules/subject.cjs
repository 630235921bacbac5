'use strict';
// What TypeScript makes of `export default`.
Object.defineProperty(exports, '__esModule', { value: true });
exports.default = { name: 'a subject', create: () => require('./backend.js').backend };
