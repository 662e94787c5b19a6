export { type ChainPoint, GENESIS, linked, type LinkedEvent } from './link.js';
