import fc from 'fast-check';
import { expect, it } from 'vitest';
import { judgedOutcome, ownOutcome, withoutSpaces } from '../testing/pac-compare.ts';
import { commentsOnPull, openedPull, webhooks } from '../testing/pac-events.ts';
import type { PacQuestion } from '../testing/pac-judge.ts';
import { whereJudged } from '../testing/pac-judged.ts';
import { messageIn, question, runFile } from '../testing/pac-questions.ts';
import known from './webhook-shapes.json' with { type: 'json' };

// Whether tekton-local reads events and .tekton folders as Pipelines as Code does.

whereJudged((judge) => {
  /** Undefined where both say the same, or where it is a limit that is said. */
  async function difference(question: PacQuestion): Promise<object | undefined> {
    const own = ownOutcome(question);
    const said = await judge.ask(question);
    if ('limit' in own) return undefined;
    const theirs = judgedOutcome(question, said);
    const [a, b] = [own, theirs].map((outcome) => ({ ...outcome, text: withoutSpaces(outcome.text) }));
    return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)) ? undefined : { own: a, theirs: b, said };
  }

  it('what is kept of the body of a webhook', async () => {
    const { shapes } = await judge.ask({ headers: {}, body: {}, shapes: true });
    // pnpm --filter @multi-image/tekton-local shapes
    expect(known).toEqual(shapes);
  });

  it.each(Object.entries(webhooks))('%s', async (_name, webhook) => {
    const text =
      '{{ revision }} {{ target_branch }} {{ event_type }} {{ body.project.name }} {{ git_tag }}|{{ nobody }}';
    const folder = [
      runFile('push.yaml', { name: 'push' }, { 'on-event': '[push]', 'on-target-branch': '[main]' }),
      runFile('pull.yaml', { name: 'pull' }, { 'on-event': '[pull_request]', 'on-target-branch': '[*]' }),
      runFile('labels.yaml', { name: 'labels' }, { 'on-cel-expression': 'event_type == "pull_request_labeled"' }),
      runFile('comment.yaml', { name: 'comment' }, { 'on-comment': '^/go' }),
    ];
    expect(
      await difference({ ...webhook, commitMessage: messageIn(webhook), text, folder, repository: {} }),
    ).toBeUndefined();
  });

  it.each(commentsOnPull.map((each) => [each.comment, each] as const))(
    'a comment on a pull request, which is given as that and its text: %j',
    async (comment, { headers, body, pull }) => {
      const folder = [
        runFile(
          'lint.yaml',
          { name: 'lint' },
          { 'on-event': '[pull_request]', 'on-target-branch': '[main]' },
          '{{ event_type }}',
        ),
        runFile(
          'build.yaml',
          { generateName: 'build-' },
          { 'on-event': '[push]', 'on-target-branch': '[main]' },
          '{{ trigger_comment }}',
        ),
        runFile('go.yaml', { name: 'go' }, { 'on-comment': '^/go' }, '{{ event_type }} {{ revision }}'),
        runFile(
          'cel.yaml',
          { name: 'cel' },
          { 'on-cel-expression': 'event_type == "test-all-comment"' },
          '{{ revision }}',
        ),
      ];
      const theirs = judgedOutcome(
        { headers, body, folder },
        await judge.ask({ headers, body, pull, folder, repository: {} }),
      );
      const own = ownOutcome({ ...openedPull, comment, folder });
      expect(own).toMatchObject({ heeded: theirs.heeded, starts: theirs.starts });
    },
  );

  // In the normal run the same questions each time; what a slow run finds becomes a case of its own.
  const isSlow = process.env.SLOW === '1';
  const runs = isSlow ? 20_000 : 1_000;
  it(`${runs} events, annotations and texts`, { timeout: 600_000 }, async () => {
    const seed = isSlow ? Math.trunc(Math.random() * 2 ** 31) : 1;
    const found: object[] = [];
    for (const asked of fc.sample(question, { numRuns: runs, seed })) {
      const different = await difference(asked);
      if (different !== undefined) found.push({ asked, different });
    }
    expect(found.slice(0, 3), `${found.length} of seed ${seed}`).toEqual([]);
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]));
}
