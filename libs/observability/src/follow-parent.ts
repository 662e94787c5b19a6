import { exitWithParent } from './lifecycle.js';

// Loaded into every child of `makuler up` before its own main (`node --import`), so that no program can forget it.
exitWithParent();
