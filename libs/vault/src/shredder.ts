/** The entry point `#vault/shredder`: only libs/erasure and libs/retention (and the mains that wire them) may import it. */
export * from './shredder-contract.js';
export * from './client/grpc-shredder.js';
