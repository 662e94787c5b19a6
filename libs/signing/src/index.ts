export { CERTIFICATE_MIGRATIONS, CERTIFICATES, SigningKeys } from './signing-keys.js';
export { AnotherKindOfSignature, sign, verify } from './jws.js';
