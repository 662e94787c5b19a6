import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadPackageDefinition } from '@grpc/grpc-js';
import type { GrpcObject, ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const definition = loadPackageDefinition(
  loadSync(fileURLToPath(new URL('../vault.proto', import.meta.url)), { defaults: true, arrays: true, oneofs: true }),
);
const at = (object: GrpcObject, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, name) => (inner as GrpcObject)[name], object);

/** A client of vault.proto, without types: VaultConnection gives it some. */
export const VaultServiceClient = at(definition, 'makuler', 'vault', 'v1', 'Vault') as ServiceClientConstructor;
/** vault.proto for a server. */
export const vaultServiceDefinition: ServiceDefinition = VaultServiceClient.service;
