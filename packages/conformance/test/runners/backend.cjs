// The good backend, or, on request, one that always hands on this process's environment.
const { goodBackend } = require('./good.cjs');

const broken = (good) => ({ ...good, start: (plan) => good.start({ ...plan, env: 'inherit' }) });

exports.createBackend = () => (process.env.BROKEN_BACKEND === '1' ? broken(goodBackend()) : goodBackend());
