export * from './erasure.events.js';
export { erasureCase, erasureStream, type ErasureCase, type Executed, type Plan } from './erasure-case.js';
export { verifyCertificate, type CertificateClaims } from './certificate.js';
