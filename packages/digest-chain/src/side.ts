import { failureOf } from '../../kit/src/retry.ts';
import { DigestChainError, type Operation, type Side } from './errors.ts';

/** Runs one half of what crosses two repositories: what goes wrong in it says so, the innermost operation first. */
export async function onSide<T>(operation: Operation, side: Side, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = failureOf(error);
    if (failure instanceof DigestChainError && failure.side === undefined) Object.assign(failure, { operation, side });
    throw error;
  }
}
