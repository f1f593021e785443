import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGo, type GoBuild, goVersion, STATIC } from '@multi-image/testing/go-build';

/** The policy, as it is published. */
export const REGO: string = fileURLToPath(new URL('../../rego', import.meta.url));

const OPA: GoBuild = {
  program: 'multi-image-policy',
  name: 'opa',
  source: fileURLToPath(new URL('../../opa', import.meta.url)),
  args: STATIC.args([], 'OUTPUT', ['.']),
  env: STATIC.env,
};

/** Whether this machine can have Open Policy Agent: its program is built from its module. */
export const HAS_GO: boolean = goVersion() !== '';

/** Before the tests: a cold build on a busy machine takes longer than a test may. */
export default function setup(): void {
  if (HAS_GO) buildGo(OPA);
}

const TEXT = { type: 'string' };
const listOf = (dynamic: object): object => ({ type: 'array', dynamic });
const objectOf = (members: Readonly<Record<string, object>>): object => ({
  type: 'object',
  static: Object.entries(members).map(([key, value]) => ({ key, value })),
});
const ANNOTATIONS = { type: 'object', dynamic: { key: TEXT, value: TEXT } };
const DESCRIPTOR = objectOf({
  mediaType: TEXT,
  size: { type: 'number' },
  digest: TEXT,
  data: TEXT,
  urls: listOf(TEXT),
  annotations: ANNOTATIONS,
  artifactType: TEXT,
  platform: { type: 'any' },
});
const DOCUMENT = { schemaVersion: { type: 'number' }, mediaType: TEXT, annotations: ANNOTATIONS };

/** What Conforma adds to Open Policy Agent, as far as the policy asks for it: of a reference, an answer of this type. */
const ADDED: Readonly<Record<string, object>> = {
  'ec.oci.blob': TEXT,
  'ec.oci.descriptor': DESCRIPTOR,
  'ec.oci.image_manifest': objectOf({ ...DOCUMENT, config: DESCRIPTOR, layers: listOf(DESCRIPTOR) }),
  'ec.oci.image_index': objectOf({ ...DOCUMENT, manifests: listOf(DESCRIPTOR) }),
};

/** Open Policy Agent with Conforma's functions declared, so that tests can answer for them. */
export class Opa {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'opa-'));
  readonly #program: string = buildGo(OPA);
  /** The options that declare Conforma's functions. */
  readonly capabilities: readonly string[];

  constructor() {
    const capabilities = JSON.parse(this.run('capabilities', '--current')) as { builtins: object[] };
    for (const [name, result] of Object.entries(ADDED)) {
      const decl = { type: 'function', args: [TEXT], result };
      capabilities.builtins.push({ name, decl, nondeterministic: true });
    }
    this.capabilities = ['--capabilities', this.#write('capabilities.json', JSON.stringify(capabilities))];
  }

  /** The value of a query; `data` is what documents the policy finds beside itself. */
  evaluate(query: string, data: object, modules: Readonly<Record<string, string>> = {}): unknown {
    const file = this.#write('data.json', JSON.stringify(data));
    const written = Object.entries(modules).map(([name, text]) => this.#write(name, text));
    const files = [REGO, file, ...written].flatMap((path) => ['--data', path]);
    const said = JSON.parse(this.run('eval', ...this.capabilities, '--format', 'json', ...files, query)) as {
      result?: { expressions: { value: unknown }[] }[];
    };
    return said.result?.[0]?.expressions[0]?.value;
  }

  /** Runs it, and gives what it prints; throws where it fails. */
  run(...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(this.#program, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status === 0) return stdout;
    throw new Error(`opa ${args[0]} ended with ${status}:\n${stdout.slice(0, 10_000)}${stderr}`);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #write(name: string, text: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, text);
    return path;
  }
}
