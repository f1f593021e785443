import type { Repository } from './registry.ts';

/** What a call needs access to. */
export interface Need {
  readonly repository: Repository;
  readonly access: 'pull' | 'push';
  /** A repository on the same registry that is read as well (cross-repository mount). */
  readonly from?: Repository;
}

const SCOPE = /^[a-z]+(?:\([a-z0-9]+\))?:[A-Za-z0-9._/:-]{1,255}:(?:\*|[a-z]+(?:,[a-z]+)*)$/;

/** The scopes of a need (distribution: auth/scope). Who is to push gets to read with the same token. */
export function scopesOf({ repository, access, from }: Need, pushes: ReadonlySet<string>): readonly string[] {
  const own = access === 'push' || pushes.has(repository.repository) ? 'pull,push' : 'pull';
  const scopes = [`repository:${repository.repository}:${own}`];
  if (from !== undefined && from.repository !== repository.repository)
    scopes.push(`repository:${from.repository}:pull`);
  return scopes;
}

/** Those scopes of a challenge that go beyond what is asked for already. */
export function furtherScopes(challenge: string | undefined, asked: readonly string[]): readonly string[] {
  return (challenge ?? '')
    .split(' ')
    .filter((scope) => SCOPE.test(scope) && !asked.some((other) => covers(other, scope)))
    .slice(0, 8);
}

function covers(one: string, other: string): boolean {
  const [resource, actions] = split(one);
  const [otherResource, otherActions] = split(other);
  return resource === otherResource && otherActions.every((action) => actions.includes(action));
}

function split(scope: string): [resource: string, actions: readonly string[]] {
  const colon = scope.lastIndexOf(':');
  return [scope.slice(0, colon), scope.slice(colon + 1).split(',')];
}
