import { parsePlaces, readDemands } from '@multi-image/digest-chain';
import { connect } from '../../look/connect.ts';
import type { Values } from '../../options.ts';
import type { Report } from '../../report/report.ts';
import { signerArguments } from '../signers.ts';
import { verifyPublished } from './verify-published.ts';

/** Proves the chain of an image that is published, as the command line asks for it. */
export async function runVerifyCommand(image: string, values: Values, signal: AbortSignal): Promise<Report> {
  const { prefix, 'plain-http': plainHttp, 'registry-here': to } = values;
  return verifyPublished({
    reference: image,
    ...(await readDemands(values)),
    signer: signerArguments(values),
    prefix,
    at: parsePlaces('--at', values.at),
    ...connect({ from: image.split('/')[0], to, plainHttp, signal }),
    plainHttp,
  });
}
