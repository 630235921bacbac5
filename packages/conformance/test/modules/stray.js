'use strict';
// Nobody catches what comes of its first start, before that is over.
let starts = 0;
const { backend } = require('./backend.js');
exports.backend = {
  ...backend,
  async start(plan) {
    if (starts++ === 0) {
      void Promise.reject(new Error('stray'));
      await new Promise((resolve) => setImmediate(resolve));
    }
    return backend.start(plan);
  },
};
