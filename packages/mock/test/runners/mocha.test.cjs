require('./suite.cjs').register(it);
