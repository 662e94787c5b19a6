export { projection, Projection } from './projection.js';
export type { Effects, EventHandler, Executable, ForgottenHandler, ProjectionOptions } from './projection.js';
export { process, Process } from './process.js';
export type { Reaction } from './process.js';
export type { Forgotten, ForgetRule } from './forgetting.js';
