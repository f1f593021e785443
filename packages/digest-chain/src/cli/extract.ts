import { printable } from '../../../kit/src/terminal.ts';
import { extract } from '../extract.ts';
import { isRole } from '../label-names.ts';
import { parseReference } from '../reference.ts';
import type { Verification } from '../verify.ts';
import {
  COMMON,
  connect,
  durationOf,
  oneImage,
  parseArguments,
  printResult,
  RESULTS,
  usage,
  writeOutput,
} from './arguments.ts';
import { DEMANDS, namesSigner, readDemands, UNSIGNED } from './demands.ts';
import { SBOM_RESULT, writeSbomUrl } from './sbom-result.ts';

export async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArguments(args, {
    ...COMMON,
    role: { type: 'string' },
    wait: { type: 'boolean' },
    deadline: { type: 'string' },
    until: { type: 'string' },
    ...DEMANDS,
    ...RESULTS,
    ...SBOM_RESULT,
    'result-proof': { type: 'string' },
  });
  const image = parseReference(oneImage(positionals));
  if (values.role === undefined) throw usage('no --role given');
  if (!isRole(values.role)) throw usage(`--role is no role: ${values.role}`);
  if (values.deadline !== undefined && !values.wait) throw usage('--deadline needs --wait');
  const { until } = values;
  if (until !== undefined && until !== 'signed' && until !== 'attested') {
    throw usage(`--until is neither signed nor attested: ${until}`);
  }
  if (until !== undefined && !namesSigner(values)) {
    throw usage('--until needs --key or --certificate-identity');
  }
  const runOnly = (['source', 'branch', 'builder-task'] as const).find(
    (name) => until === 'signed' && values[name] !== undefined,
  );
  if (runOnly !== undefined) {
    throw usage(`--${runOnly} needs --until attested: only what is signed of the whole run says it`);
  }
  const registry = connect(values);
  const result = await extract(registry, image, {
    ...(await readDemands(values)),
    role: values.role,
    until,
    deadline: values.wait ? durationOf(values.deadline ?? '30m') : undefined,
    onWait: announce(),
    prefix: values.prefix,
    signal,
  });
  const proof = describeProof(result.verification, namesSigner(values));
  await writeOutput(values['result-proof'], proof);
  await writeSbomUrl(values, registry, result, signal);
  if (result.verification.level === 'linked') process.stderr.write(`${proof}\n`);
  return printResult(values, result, [`${result.url}@${result.digest}`]);
}

/** How far it was proved, and what is not known, for whoever goes on with the image. */
function describeProof({ level }: Verification, hasSigner: boolean): string {
  if (level !== 'linked') return level;
  return hasSigner
    ? 'signed: made by tasks of one run that the build system attested; what that run was built from is not known yet'
    : UNSIGNED;
}

/** Says on stderr what is waited for: at once, and then every half minute. */
function announce(): (progress: { waited: number; reason: string }) => void {
  let next = 0;
  return ({ waited, reason }) => {
    if (waited < next) return;
    next = waited + 30_000;
    process.stderr.write(`waiting (${Math.round(waited / 1000)} s): ${printable(reason)}\n`);
  };
}
