export { MakulerClient, type ClientOptions } from './client.js';
export type { Answer } from './answer.js';
export { ApiProblem, NoAnswer, type ErrorCode } from './problem.js';
export { ONCE, passes, type Patience } from './patience.js';
export { isGone, valueOf } from './gone.js';
export type { BodyOf, CallOptions, ItemOf, ListPath, Method, PathOf } from './operations.js';
export type * from './generated/api.js';
