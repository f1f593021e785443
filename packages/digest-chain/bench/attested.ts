import { createHash, createPublicKey, createVerify } from 'node:crypto';
import { CHAINS_FIXTURE, chainsFixture } from '@multi-image/testing/chains-fixture';
import { parsePublicKeys, parseReference, verify } from '../src/index.ts';

/** What it costs to prove a chain that a real Chains signed, of whose documents the largest has 108 kB. */
export interface AttestedCost {
  readonly documents: number;
  readonly bytes: number;
  readonly largest: number;
  /** Milliseconds of processor time of one proof, and of one without signatures. */
  readonly attested: number;
  readonly linked: number;
  /** Of reading the same documents, and nothing else: each is hashed, its signature verified, and its JSON parsed. */
  readonly floor: number;
}

/** In this process and without a network; the rounds of what is compared take turns. */
export async function measureAttested(rounds: number): Promise<AttestedCost> {
  const { registry, key } = await chainsFixture();
  const image = parseReference(`${CHAINS_FIXTURE.image1}:${CHAINS_FIXTURE.revision}`);
  const keys = parsePublicKeys(key);
  const read: Uint8Array[] = [];
  const getBlob = registry.getBlob.bind(registry);
  registry.getBlob = async (...args) => {
    const bytes = await getBlob(...args);
    read.push(bytes);
    return bytes;
  };
  const { level } = await verify(registry, image, { keys });
  if (level !== 'attested') throw new Error(`the chain of the fixture is ${level}`);
  const signed = read.filter((bytes) => Buffer.from(bytes).includes('"payloadType"'));
  registry.getBlob = getBlob;
  const publicKey = createPublicKey(key);
  const jobs = [
    () => verify(registry, image, { keys }),
    () => verify(registry, image),
    async () => {
      for (const bytes of signed) readAlone(bytes, publicKey);
    },
  ] as const;
  const spent: [number, number, number] = [0, 0, 0];
  for (let round = 0; round < 2 * rounds; round++) {
    for (const [index, job] of jobs.entries()) {
      const before = process.cpuUsage();
      await job();
      const { user, system } = process.cpuUsage(before);
      // The first half warms up.
      if (round >= rounds) spent[index] = (spent[index] ?? 0) + (user + system) / 1000 / rounds;
    }
  }
  const [attested, linked, floor] = spent;
  const sizes = signed.map(({ length }) => length);
  const bytes = sizes.reduce((total, size) => total + size, 0);
  return { documents: signed.length, bytes, largest: Math.max(...sizes), attested, linked, floor };
}

/** An envelope as DSSE says that it is signed (secure-systems-lab/dsse, protocol.md). */
function readAlone(bytes: Uint8Array, key: ReturnType<typeof createPublicKey>): void {
  createHash('sha256').update(bytes).digest();
  const { payload, payloadType, signatures } = JSON.parse(Buffer.from(bytes).toString()) as {
    payload: string;
    payloadType: string;
    signatures: readonly { readonly sig: string }[];
  };
  const content = Buffer.from(payload, 'base64');
  const isValid = createVerify('sha256')
    .update(`DSSEv1 ${payloadType.length} ${payloadType} ${content.length} `)
    .update(content)
    .verify(key, signatures[0]?.sig ?? '', 'base64');
  if (!isValid) throw new Error('a document of the fixture is not signed');
  JSON.parse(content.toString());
}
