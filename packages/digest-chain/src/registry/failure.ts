import { DigestChainError, type ErrorCode } from '../errors.ts';
import { decodeJson, items, member, textOf } from '../json/decode.ts';
import type { HttpResponse } from './http-response.ts';

/** Of an error's body no more is read than this. Bytes. */
const BODY_LIMIT = 16 * 1024;
const TEXT_LIMIT = 300;

const CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'UNAUTHORIZED',
  403: 'UNAUTHORIZED',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
};

const MESSAGES: Readonly<Partial<Record<ErrorCode, string>>> = {
  UNAUTHORIZED: 'refused access to',
  NOT_FOUND: 'does not have',
  CONFLICT: 'will not overwrite',
  RESPONSE_INVALID: 'answered as no registry should about',
};

/** An answer that is not the one hoped for, as an error with what the registry says about it. */
export async function refusal(
  response: HttpResponse,
  what: string,
  redact: (text: string) => string,
  { hint, ...options }: { readonly hint?: string | undefined; readonly code?: ErrorCode } = {},
): Promise<DigestChainError> {
  const { status, url } = response;
  const code = options.code ?? CODES[status] ?? (status < 400 ? 'RESPONSE_INVALID' : 'REGISTRY_ERROR');
  const said = await explanationOf(response);
  return new DigestChainError(code, `${url.host} ${MESSAGES[code] ?? 'failed on'} ${what}`, {
    // Credentials go out before the text is cut: half of one would be left.
    found: `HTTP ${status}${said === '' ? '' : `: ${quote(redact(said))}`}`,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** What the registry says (distribution-spec, "Error Codes"), or how its answer begins. */
async function explanationOf(response: HttpResponse): Promise<string> {
  // An explanation that can't be read is no reason to lose what it was to explain.
  const body = await response.read(BODY_LIMIT).catch(() => Buffer.alloc(0));
  try {
    const errors = items(member(decodeJson(body), 'errors'));
    const said = errors.map((error) => [textOf(member(error, 'code')), textOf(member(error, 'message'))]);
    const lines = said.map((parts) => parts.filter((part) => part !== undefined && part !== '').join(': '));
    if (lines.some((line) => line !== '')) return lines.filter((line) => line !== '').join('; ');
  } catch {
    // Not every error comes from the registry itself; what stands before it answers in text or HTML.
  }
  return body.toString('utf8').trim();
}

/** Text from outside on one line, cut, without characters that could steer a terminal or hide what is read. */
export function quote(text: string): string {
  const shown = text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT)}…` : text;
  return shown.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
