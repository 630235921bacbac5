'use strict';
// Run with ts-node's hooks.
exports.createBackend = () => require('../backends/good').goodBackend();
