/** A process that dies: what is handed through `within` answers until then, and never after. */
export interface DyingProcess {
  within<T extends object>(system: T): T;
  wasKilled(): boolean;
}

/** A process that is killed at its nth call to another system: before the call has done anything, or right after it. */
export const killedAt = (nth: number, when: 'before' | 'after'): DyingProcess => {
  let calls = 0;
  let dead = false;
  const call = async (work: () => unknown): Promise<unknown> => {
    const mine = calls++ === nth;
    if (mine && when === 'before') dead = true;
    if (dead) throw new Error('killed');
    const result = await work();
    if (mine) dead = true;
    if (dead) throw new Error('killed');
    return result;
  };
  const within = <T extends object>(system: T): T =>
    new Proxy(system, {
      get(target, name) {
        const member = Reflect.get(target, name, target) as unknown;
        return typeof member === 'function' ? (...args: unknown[]) => call(() => member.apply(target, args)) : member;
      },
    });
  return { within, wasKilled: () => dead };
};
