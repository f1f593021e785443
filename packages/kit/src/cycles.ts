/**
 * A way round a cycle, each name once and the first again at the end; undefined where there is none.
 *
 * @param edges For each name, the names that it points to. Names that are no key are ignored.
 */
export function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  for (const start of edges.keys()) {
    // An explicit stack: a chain may be longer than the call stack is deep.
    const path: string[] = [];
    const onPath = new Set<string>();
    const stack: { name: string; next: number }[] = [{ name: start, next: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top === undefined) break;
      if (top.next === 0) {
        if (done.has(top.name)) {
          stack.pop();
          continue;
        }
        path.push(top.name);
        onPath.add(top.name);
      }
      const target = edges.get(top.name)?.[top.next];
      top.next += 1;
      if (target === undefined) {
        done.add(top.name);
        onPath.delete(top.name);
        path.pop();
        stack.pop();
      } else if (onPath.has(target)) {
        return [...path.slice(path.indexOf(target)), target];
      } else if (edges.has(target) && !done.has(target)) {
        stack.push({ name: target, next: 0 });
      }
    }
  }
  return undefined;
}
