/** The environment without git's own variables: a run started from a git hook must not work on that hook's index. */
export function gitEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  return { ...Object.fromEntries(entries), LC_ALL: 'C' };
}
