import { type Evidence, failed, passed } from './criterion.ts';
import type { ObservedImage } from './observation.ts';
import { title } from './wording.ts';

/** What this repository's own programs print, by the name that their Containerfile gives them in the label `name`. */
const OWN_PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  'multi-image-poc-image1': ['Hello from Image 1!', 'This is the primary container in our multi-image build.'],
  'multi-image-poc-image2': [
    'Hello from Image 2!',
    'This container proves the signed/sealed image chain.',
    'This digest was baked in at build time, proving atomic build.',
  ],
};

/**
 * That running the image ended well, and printed what it should: what this repository's own programs say, and the digest
 * and URL of an image that is embedded. Nothing where it was not run.
 */
export function outputEvidence(
  image: ObservedImage,
  embedded: readonly { title: string; digest: string | undefined; url: string | undefined }[] = [],
): Evidence[] {
  if (image.output === undefined || 'problem' in image.output) return [];
  const { exitCode, stdout, stderr } = image.output;
  const what = `podman run of ${title(image)}`;
  const said = `${tail(stdout + stderr)} (exit code ${exitCode})`;
  if (exitCode !== 0) return [failed('runs', what, 'exit code 0', said)];
  if (image.expected !== undefined) {
    const ran = passed('runs', `${what} ended with exit code 0`);
    const text = `${what} prints what its config expects`;
    if (image.expected === '') return [ran];
    return [
      ran,
      stdout.includes(image.expected) ? passed('expect', text) : failed('expect', text, image.expected, said),
    ];
  }
  const lines = stdout.split(/\r?\n/);
  const line = (check: string, name: string, value: string, matches: (text: string) => boolean): Evidence => {
    const found = value ? lines.find(matches) : undefined;
    const text = `${what} prints ${name}`;
    return found === undefined
      ? failed(check, text, `a line with ${value || 'what was built, which is nothing'}`, said)
      : passed(check, `${text}: "${found}"`);
  };
  return [
    passed('runs', `${what} ended with exit code 0`),
    ...greeting(image, what, lines, said),
    ...embedded.flatMap(({ title: name, digest = '', url = '' }) => [
      line('prints-digest', `${name}'s digest`, digest, (text) => text.includes(digest) && !text.includes('@')),
      line('prints-url', `${name}'s URL`, url, (text) => text.includes(url)),
    ]),
  ];
}

function greeting(image: ObservedImage, what: string, lines: readonly string[], said: string): Evidence[] {
  const expected = OWN_PROGRAMS[image.published.labels.name ?? image.origin.labels.name ?? ''];
  if (expected === undefined) return [];
  const missing = [
    ...expected.filter((text) => !lines.includes(text)),
    ...(lines.some((text) => /^Timestamp: \d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text)) ? [] : ['Timestamp: …']),
  ];
  if (missing.length > 0) return [failed('greeting', `${what} prints its greeting`, missing.join('\n'), said)];
  return [passed('greeting', `${what} prints its greeting: "${expected[0]}", with ${expected.length} more lines`)];
}

/** The end of what was printed: enough to see what it is instead. */
function tail(text: string): string {
  return text.trim().split('\n').slice(-8).join('\n').slice(-2000);
}
