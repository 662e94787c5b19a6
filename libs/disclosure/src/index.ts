export { Disclosure, type Disclosed } from './disclosure.js';
