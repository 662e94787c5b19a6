import { createServer } from 'node:net';
import { Refusal } from '../refusal.js';

/** Resolves to the port when it can be listened on; 0 finds a free one. Rejects with the system's error. */
export const tryPort = (host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });

/** The port that the person asked for; refuses with the way out when it can't be had. */
export const claimPort = async (host: string, port: number): Promise<number> => {
  try {
    return await tryPort(host, port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new Refusal(
        `Port ${port} on ${host} is taken by another program.`,
        'Choose another with --port or PORT; 0 picks a free one.',
      );
    if (code === 'EACCES')
      throw new Refusal(`Port ${port} may not be opened by this user.`, 'Choose one above 1023 with --port or PORT.');
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new Refusal(
        `This machine has no address ${host}.`,
        'Give an address of this machine with --host or HOST, e.g. 127.0.0.1.',
      );
    throw error;
  }
};

/** The port of the last run when it is still free, otherwise a free one. */
export const keepPort = (host: string, last: number | undefined): Promise<number> =>
  tryPort(host, last ?? 0).catch(() => tryPort(host, 0));
