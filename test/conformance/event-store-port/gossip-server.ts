import { readFileSync } from 'node:fs';
import gossip from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import messages from '@eventstore/db-client/generated/gossip_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { CertificateFiles } from '#pki';

/** Says, as each node of a cluster does, which nodes there are: one leader, at `leaderPort` of this machine. */
export const startGossip = async (
  port: number,
  { certFile, keyFile }: CertificateFiles,
  leaderPort: number,
): Promise<() => void> => {
  const server = new Server();
  const endPoint = new messages.EndPoint().setAddress('localhost').setPort(leaderPort);
  const member = new messages.MemberInfo()
    .setInstanceId(new shared.UUID().setString('6c1e1f0c-8f0a-4d6e-9b5e-0f6d7c1c2b3a'))
    .setState(messages.MemberInfo.VNodeState.LEADER)
    .setIsAlive(true)
    .setHttpEndPoint(endPoint);
  server.addService(gossip.GossipService as never, {
    read: (_: unknown, answer: (error: null, info: unknown) => void) =>
      answer(null, new messages.ClusterInfo().setMembersList([member])),
  });
  const pair = { cert_chain: readFileSync(certFile), private_key: readFileSync(keyFile) };
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`localhost:${port}`, ServerCredentials.createSsl(null, [pair]), (error) =>
      error ? reject(error) : resolve(),
    ),
  );
  return () => server.forceShutdown();
};
