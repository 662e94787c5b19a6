export * from './ids.js';
export * from './random.js';
export * from './clock.js';
export * from './personal.js';
export * from './errors.js';
export * from './context.js';
export * from './configuration.js';
export { SecretFileError, readSecretFile } from './secret-file.js';
export * from './failures.js';
