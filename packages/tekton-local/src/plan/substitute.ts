import { Variables } from './variables.ts';

/** What variables stand for that are known only where a step runs: paths, and results of steps before it. */
export interface Scope {
  values: Readonly<Record<string, string>>;
}

/** Replaces the variables of a text once; what nobody knows stays. */
export function substituteString(text: string, { values }: Scope): string {
  return Variables.of(values).text(text);
}

/** Kubernetes' own `$(NAME)` in command, args and env: the environment's variables; `$$(NAME)` is the text itself. */
export function expandEnvironment(text: string, env: ReadonlyMap<string, string>): string {
  return text.replace(/\$\$|\$\(([A-Za-z_.-][\w.-]*)\)/g, (whole: string, name: string | undefined) => {
    if (name === undefined) return '$';
    return env.get(name) ?? whole;
  });
}
