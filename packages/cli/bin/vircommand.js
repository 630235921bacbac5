#!/usr/bin/env node
'use strict';
// A file that is there before the build, so that package managers can link it in the workspace, too.
require('../dist/index.js').runProcess();
