// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are a Containerfile's
import { expect, test } from 'vitest';
import { planChain } from '../chain/plan.ts';
import { TWO } from '../testing/chains.ts';
import { Workspace } from '../testing/workspace.ts';
import { findLinkGaps } from './links.ts';
import { basesIn } from './read.ts';

const HEAD = ['FROM scratch', 'ARG IMAGE1_DIGEST', 'ARG IMAGE1_URL'];
const ENV = ['ENV IMAGE1_DIGEST="${IMAGE1_DIGEST}"', 'ENV IMAGE1_URL="${IMAGE1_URL}"'];
const LABEL = [
  'LABEL io.konflux.poc.primary-image.digest="${IMAGE1_DIGEST}"',
  'LABEL io.konflux.poc.primary-image.url="${IMAGE1_URL}"',
];

function gapsOf(...lines: string[]) {
  using workspace = new Workspace();
  workspace.configure(TWO);
  workspace.write('metadata/Containerfile', `${lines.join('\n')}\n`);
  return findLinkGaps(planChain(TWO), workspace.folder);
}

test.each([
  ['all of it', [...HEAD, ...ENV, ...LABEL]],
  ['the old form of ENV, without quotes', [...HEAD, 'ENV IMAGE1_DIGEST $IMAGE1_DIGEST', ENV[1], ...LABEL]],
  [
    'instructions over several lines, with comments inside',
    [
      ...HEAD,
      'ENV A=1 \\',
      '  # why',
      '',
      '  IMAGE1_DIGEST=${IMAGE1_DIGEST} \\',
      '  IMAGE1_URL=${IMAGE1_URL}',
      ...LABEL,
    ],
  ],
  ['small letters', ['from scratch', 'arg IMAGE1_DIGEST IMAGE1_URL', ...ENV, ...LABEL]],
  [
    'a last stage that is built on the one that has it',
    [...HEAD.with(0, 'FROM scratch AS a'), ...ENV, ...LABEL, 'FROM a'],
  ],
  ['a default of the argument', ['FROM scratch', 'ARG IMAGE1_DIGEST=none', 'ARG IMAGE1_URL', ...ENV, ...LABEL]],
  ['a document in RUN that looks like a stage', [...HEAD, ...ENV, ...LABEL, 'RUN cat <<EOF', 'FROM nothing', 'EOF']],
])('%s is a whole link', (_, lines) => {
  expect(gapsOf(...lines.map(String))).toEqual([]);
});

test.each([
  ['no ENV', [...HEAD, ...LABEL], 3, 'no ENV IMAGE1_DIGEST, no ENV IMAGE1_URL', ENV],
  ['no LABEL', [...HEAD, ...ENV], 3, `no ${LABEL[0]?.split('=')[0]}, no ${LABEL[1]?.split('=')[0]}`, LABEL],
  ['no ARG', [HEAD[0], HEAD[2], ...ENV, ...LABEL], 2, 'no ARG IMAGE1_DIGEST', [HEAD[1]]],
  ['an ARG for FROM alone', [HEAD[1], HEAD[0], HEAD[2], ...ENV, ...LABEL], 3, 'no ARG IMAGE1_DIGEST', [HEAD[1]]],
  [
    'a comment',
    [...HEAD, ...ENV, LABEL[0], `# ${LABEL[1]}`],
    3,
    'no LABEL io.konflux.poc.primary-image.url',
    [LABEL[1]],
  ],
  [
    'a stage that is thrown away',
    [...HEAD.with(0, 'FROM scratch AS a'), ...ENV, ...LABEL, ...HEAD, ENV[0], ...LABEL],
    10,
    'no ENV IMAGE1_URL',
    [ENV[1]],
  ],
  [
    'a fixed value',
    [...HEAD, 'ENV IMAGE1_DIGEST=sha256:0', ENV[1], ...LABEL],
    4,
    'ENV IMAGE1_DIGEST is sha256:0 whatever is built',
    [ENV[0]],
  ],
  [
    'a use before the argument',
    [HEAD[0], ENV[0], HEAD[1], HEAD[2], ENV[1], ...LABEL],
    2,
    'ENV IMAGE1_DIGEST stands before ARG IMAGE1_DIGEST',
    [ENV[0]],
  ],
])('%s is a gap, with its place and the lines to add', (_, lines, line, lacks, add) => {
  expect(gapsOf(...lines.map(String))).toEqual([
    { role: 'metadata', embeds: 'primary', containerfile: 'metadata/Containerfile', line, lacks, add },
  ]);
});

test('what a Containerfile may be built on is each base and each value that an argument has for one', () => {
  const lines = ['ARG BASE="quay.io/a:1"', 'ARG OTHER=quay.io/b:1', 'from --platform=x ${BASE} AS made', 'ARG NONE=no'];
  const text = [...lines, 'FROM quay.io/c:1 \\', '  AS last', 'COPY --from=made / /'].join('\n');
  expect(basesIn(text)).toEqual(['quay.io/a:1', 'quay.io/b:1', '${BASE}', 'quay.io/c:1']);
});
