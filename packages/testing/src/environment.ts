import { type Builder, createBuilder } from './builder.ts';
import { startTestRegistry, type TestRegistry } from './registry.ts';

/** A registry and a builder, both removed by `stop`. */
export interface TestEnvironment {
  readonly registry: TestRegistry;
  readonly builder: Builder;
  stop(): Promise<void>;
}

export async function startEnvironment(): Promise<TestEnvironment> {
  const registry = await startTestRegistry();
  const builder = await createBuilder();
  return {
    registry,
    builder,
    async stop() {
      await registry.stop();
      await builder.remove();
    },
  };
}
