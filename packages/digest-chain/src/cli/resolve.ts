import { printable, printableJson } from '../../../kit/src/terminal.ts';
import { formatReference, parseReference, repositoryName } from '../reference.ts';
import { resolve } from '../resolve.ts';
import { COMMON, connect, parseArguments, parseRole, RESULTS, usage, writeOutput } from './arguments.ts';

// It reads no labels.
const { prefix: _, ...CONNECT } = COMMON;

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArguments(args, {
    ...CONNECT,
    ...RESULTS,
    'result-reference': { type: 'string' },
  });
  const images = positionals.map((text) => {
    const { role, named } = parseRole('not <role>=<image>', text);
    return { role, image: parseReference(named) };
  });
  const [first, ...others] = images;
  if (first === undefined) throw usage('no <role>=<image> given');
  const result = (['result-url', 'result-digest', 'result-reference'] as const).find((name) => values[name]);
  if (others.length > 0 && result !== undefined) throw usage(`--${result} is for one image`);
  const found = await resolve(connect(values), images, { signal });
  for (const { image } of found) {
    await writeOutput(values['result-url'], `${repositoryName(image)}@${image.digest}`);
    await writeOutput(values['result-digest'], image.digest);
    await writeOutput(values['result-reference'], formatReference(image));
  }
  const told = found.map(({ role, image }) => ({ role, reference: formatReference(image), digest: image.digest }));
  const lines = told.map(({ role, reference }) => printable(`${role}=${reference}`));
  process.stdout.write(`${values.json ? printableJson({ images: told }) : lines.join('\n')}\n`);
  return 0;
}
