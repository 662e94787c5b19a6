/**
 * Opening with bare key bytes, for a reader who has found some and wants to know what they still open (`libs/proof`). Whoever
 * serves anybody uses handles (`Vault`). What is sealed how: docs/formats.
 */
export { deriveKey, openBytes } from './aead.js';
