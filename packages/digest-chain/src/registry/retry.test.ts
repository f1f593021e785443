import { expect, it } from 'vitest';
import { DigestChainError } from '../errors.ts';
import { Limiter } from './limiter.ts';
import { parseRetryAfter, retry, Transient } from './retry.ts';
