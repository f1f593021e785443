import { RE2JS } from 're2js';

/** What a comment asks of Pipelines as Code. */
export interface Comment {
  /** `event_type` of CEL: `test-all-comment`, … or `no-ops-comment`, which starts what has an `on-comment` for it. */
  readonly type: string;
  /** The run that is started whatever its annotations say. */
  readonly run?: string | undefined;
  /** Whether running ones are to be ended, and nothing is started. */
  readonly cancels: boolean;
}

/**
 * Reads a comment on a pull request or a commit.
 *
 * @param prefix `gitops_command_prefix` of the Repository: `/prefix test` in place of `/test`.
 */
export function readComment(text: string, prefix = ''): Comment {
  const start = prefix === '' ? '/' : `/${RE2JS.quote(prefix)} `;
  const is = (pattern: string): boolean => RE2JS.compile(pattern).matcher(text).find();
  const alone = (word: string): boolean => is(`(?m)^\\s*${start}${word}\\s*$`);
  const named = (word: string): boolean => is(`(?m)^\\s*${start}${word}[ \\t]+\\S+`);
  const type = alone('retest')
    ? 'retest-all-comment'
    : named('retest')
      ? 'retest-comment'
      : alone('test')
        ? 'test-all-comment'
        : named('test')
          ? 'test-comment'
          : is(`(^|\\n)\\s*${start}ok-to-test(?:\\s+([a-fA-F0-9]{7,40}))?\\s*(\\r\\n|\\r|\\n|$)`)
            ? 'ok-to-test-comment'
            : alone('cancel')
              ? 'cancel-all-comment'
              : named('cancel')
                ? 'cancel-comment'
                : 'no-ops-comment';
  const word = type === 'retest-comment' ? 'retest' : type === 'test-comment' ? 'test' : undefined;
  return {
    type,
    run: word === undefined ? undefined : nameIn(text, `${start}${word}`) || undefined,
    cancels: type.startsWith('cancel-'),
  };
}

/** The first word behind a command in its line, but none with `=`. */
function nameIn(text: string, command: string): string {
  const [line = ''] = (text.trim().split(command)[1] ?? '').split('\n');
  const name = line.split(' ')[1]?.trim() ?? '';
  return name.includes('=') ? '' : name;
}

/** `key=value` and `key="a value"` in a comment that is a command: instead of the variables of these names. */
export function variablesIn(comment: string): Record<string, string> {
  if (!comment.startsWith('/')) return {};
  const pairs = [...comment.matchAll(/(\w+)=(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^"'\t\n\f\r ]+))/g)];
  return Object.fromEntries(
    pairs.map(([, key = '', quoted = '', word = '']) => [key, quoted === '' ? word : quoted.replaceAll('\\"', '"')]),
  );
}

/** Whether a commit's message asks for no run. */
export function asksToSkip(message: string): boolean {
  return /\[(?:skip ci|ci skip|skip tkn|tkn skip)\]/.test(message);
}
