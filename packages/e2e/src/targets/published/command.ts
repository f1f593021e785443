import { connect } from '../../look/connect.ts';
import { readKeyFiles } from '../../look/key-files.ts';
import type { Report } from '../../report/report.ts';
import { parsePlaces } from './places.ts';
import { verifyPublished } from './verify-published.ts';

export interface VerifyValues {
  key?: string[] | undefined;
  revision?: string | undefined;
  prefix?: string | undefined;
  at?: string[] | undefined;
  'plain-http': boolean;
  'registry-here'?: string | undefined;
}

/** Proves the chain of an image that is published, as the command line asks for it. */
export async function runVerifyCommand(image: string, values: VerifyValues, signal: AbortSignal): Promise<Report> {
  const { revision, prefix, 'plain-http': plainHttp, 'registry-here': to } = values;
  const { registry, elsewhere } = connect({ from: image.split('/')[0], to, plainHttp, signal });
  const at = parsePlaces(values.at);
  const keys = await readKeyFiles(values.key);
  return verifyPublished({ reference: image, keys, revision, prefix, at, registry, plainHttp, elsewhere });
}
