export * from './authority.js';
export { createOnce, readIfThere } from './files.js';
