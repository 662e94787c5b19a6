import { freePort, tryPort } from '#kernel';
import { Refusal } from '../refusal.js';

/** The port that the person asked for; a free one for 0. Refuses with the way out when it can't be had. */
export const claimPort = async (host: string, port: number): Promise<number> => {
  try {
    return await (port === 0 ? freePort(host) : tryPort(host, port));
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
