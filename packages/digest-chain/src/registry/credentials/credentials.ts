/** What a registry's owner gave out; sent to that registry and the token service it names, and shown nowhere. */
export type Credentials =
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token (docker's "identity token"). */
  | { readonly type: 'identity'; readonly token: string }
  /** A bearer token, sent to the registry as it is (docker's "registry token"). */
  | { readonly type: 'bearer'; readonly token: string };

/** The user name by which docker's tools say that the password is an identity token. */
const TOKEN_USER = '<token>';

export function credentialsOf(username: string, password: string): Credentials {
  return username === TOKEN_USER ? { type: 'identity', token: password } : { type: 'basic', username, password };
}
