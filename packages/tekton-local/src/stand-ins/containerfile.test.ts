import { expect, it } from 'vitest';
import { readBaseImages } from './containerfile.ts';

function read(text: string, args: Record<string, string> = {}): { images: readonly string[]; byArgument: object } {
  const { images, byArgument } = readBaseImages(text, new Map(Object.entries(args)));
  return { images, byArgument: Object.fromEntries(byArgument) };
}

it('finds literal images, and no stages', () => {
  const text = [
    '# FROM quay.io/comment',
    'FROM --platform=linux/amd64 quay.io/a:1 AS Build',
    'FROM scratch as empty',
    'from build',
    'COPY --from=build /x /x',
    'COPY --chmod=0444 --from=quay.io/b:2 /x /x',
    'COPY --from=0 /x /x',
    'RUN --mount=type=bind,from=quay.io/c:3,target=/c true',
    'RUN echo --from=quay.io/no',
  ].join('\n');
  expect(read(text)).toEqual({ images: ['quay.io/a:1', 'quay.io/b:2', 'quay.io/c:3'], byArgument: {} });
});

it('fills in arguments, and tells which one is the whole name', () => {
  const text = `ARG R=quay.io\nARG A="quay.io/a:1"\nARG B=\${R}/b\nARG C\nFROM \${A}\nFROM $B\nFROM \${R}/d:\${T:-4}\nFROM $C\n`;
  const a = { A: 'quay.io/a:1', B: 'quay.io/b' };
  expect(read(text)).toEqual({ images: ['quay.io/a:1', 'quay.io/b', 'quay.io/d:4'], byArgument: a });
  expect(read(text, { A: 'quay.io/z', C: 'quay.io/c' })).toEqual({
    images: ['quay.io/z', 'quay.io/b', 'quay.io/d:4', 'quay.io/c'],
    byArgument: { A: 'quay.io/z', B: 'quay.io/b', C: 'quay.io/c' },
  });
});

it('follows continued lines', () => {
  expect(read('FROM \\\n# comment\n  quay.io/a \\\n  AS x\nFROM x').images).toEqual(['quay.io/a']);
});

it('tells which image a stage stands on in the end', () => {
  const { byStage, lastStage } = readBaseImages(
    'ARG B=quay.io/b\nFROM quay.io/a AS One\nFROM one AS two\nFROM scratch AS none\nFROM $B AS last\nFROM two',
    new Map(),
  );
  expect(lastStage).toBe('4');
  expect(Object.fromEntries(byStage)).toMatchObject({
    one: 'quay.io/a',
    two: 'quay.io/a',
    last: 'quay.io/b',
    4: 'quay.io/a',
  });
  expect(byStage.get('none')).toBeUndefined();
});
