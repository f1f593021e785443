// docs/architecture.md as rules: who may know whom. `pnpm check` runs them.
const TESTS = String.raw`(\.test\.ts|\.arbitrary\.ts|vitest\.config\.ts)$|/((cluster-)?testing|bench|scripts)/`;

/** What of another package may be imported: what it exports. */
const PUBLIC = [
  String.raw`^packages/kit/src/[^/]+\.ts$`,
  String.raw`^packages/testing/src/[^/]+\.ts$`,
  String.raw`^packages/[^/]+/src/index\.ts$`,
  String.raw`^packages/digest-chain/src/(oci|options)\.ts$`,
  // For tests of another package, and not published.
  String.raw`^packages/tekton-local/src/testing/examples\.ts$`,
];

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'No file needs itself.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      comment: 'What is imported is there.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'only-what-is-exported',
      comment: "No package reaches into another one's files.",
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/', pathNot: ['^packages/$1/', ...PUBLIC] },
    },
    {
      name: 'kit-knows-nobody',
      comment: 'All stand on the kit.',
      severity: 'error',
      from: { path: '^packages/kit/', pathNot: TESTS },
      to: { path: '^packages/', pathNot: '^packages/kit/' },
    },
    {
      name: 'digest-chain-knows-the-kit-alone',
      comment:
        'Pipelines run its source without installing anything: no dependency, and no package but the kit, by its path.',
      severity: 'error',
      from: { path: '^packages/digest-chain/src/', pathNot: TESTS },
      to: {
        path: '^packages/|node_modules',
        pathNot: ['^packages/(digest-chain|kit)/', 'node_modules/@(noble|sigstore)/'],
      },
    },
    {
      name: 'keyless-is-one-file',
      comment: 'What verifies certificates is loaded only where they are asked for.',
      severity: 'error',
      from: { path: '^packages/digest-chain/src/', pathNot: [TESTS, '/keyless-root[.]ts$'] },
      to: { path: 'node_modules/@sigstore/' },
    },
    {
      name: 'a-signature-knows-no-provenance',
      comment: 'Who signed is one question, what was signed another.',
      severity: 'error',
      from: { path: '^packages/digest-chain/src/signature/', pathNot: TESTS },
      to: { path: '^packages/digest-chain/src/(attestation|registry|verify)/' },
    },
    {
      name: 'tekton-local-knows-no-chain',
      comment: 'It runs any pipeline: of ours it knows the kit and the registry client.',
      severity: 'error',
      from: { path: '^packages/tekton-local/src/', pathNot: TESTS },
      to: {
        path: '^packages/',
        pathNot: ['^packages/(tekton-local|kit)/', String.raw`^packages/digest-chain/src/oci(/index)?\.ts$`],
      },
    },
    {
      name: 'a-plan-knows-no-run',
      comment: 'What a pipeline says is read and checked before anything runs.',
      severity: 'error',
      from: { path: '^packages/tekton-local/src/plan/', pathNot: TESTS },
      to: { path: '^packages/tekton-local/src/(run|executors|containers|chains)/' },
    },
    {
      name: 'yaml-knows-no-tekton',
      comment: 'Text becomes fields, with their places, before anybody asks what they mean.',
      severity: 'error',
      from: { path: '^packages/tekton-local/src/plan/yaml/', pathNot: TESTS },
      to: { path: '^packages/tekton-local/src/(?!errors)', pathNot: '/plan/yaml/' },
    },
    {
      name: 'a-plan-is-made-in-steps',
      comment:
        'decode/, admit/, replace/ and parse/ see one object; what runs are made of it, the files beside them decide.',
      severity: 'error',
      from: { path: '^packages/tekton-local/src/plan/(decode|admit|replace|parse)/', pathNot: TESTS },
      to: { path: '^packages/tekton-local/src/plan/[^/]+[.]ts$', pathNot: '/(model|values)[.]ts$' },
    },
    {
      name: 'what-is-admitted-is-not-parsed-yet',
      comment: "Tekton's webhook sees what is written.",
      severity: 'error',
      from: { path: '^packages/tekton-local/src/plan/(decode|admit|replace)/', pathNot: TESTS },
      to: { path: '^packages/tekton-local/src/plan/parse/' },
    },
    {
      name: 'the-api-server-is-reached-by-what-knows-no-run',
      comment: 'What speaks with Kubernetes knows objects, and nothing of builds.',
      severity: 'error',
      from: { path: '^packages/e2e/src/targets/cluster/api/', pathNot: TESTS },
      to: { path: '^packages/e2e/src/', pathNot: ['^packages/e2e/src/targets/cluster/api/', '/src/errors[.]ts$'] },
    },
    {
      name: 'manifests-renders-and-runs-nothing',
      comment: 'It knows the kit, and the names of the labels.',
      severity: 'error',
      from: { path: '^packages/manifests/src/', pathNot: TESTS },
      to: {
        path: '^packages/',
        pathNot: ['^packages/(manifests|kit)/', String.raw`^packages/digest-chain/src/oci(/index)?\.ts$`],
      },
    },
    {
      name: 'nobody-knows-bundles',
      comment: 'It publishes what the others are.',
      severity: 'error',
      from: { path: '^packages/', pathNot: '^packages/bundles/' },
      to: { path: '^packages/bundles/' },
    },
    {
      name: 'policy-is-data',
      comment: 'Rego that others publish; it is asked about images by its tests alone.',
      severity: 'error',
      from: { path: '^packages/policy/src/', pathNot: TESTS },
      to: { path: '^packages/', pathNot: '^packages/policy/' },
    },
    {
      name: 'nobody-knows-e2e',
      comment: 'It puts the others together.',
      severity: 'error',
      from: { path: '^packages/', pathNot: '^packages/e2e/' },
      to: { path: '^packages/e2e/' },
    },
    {
      name: 'no-tool-knows-a-catalog',
      comment: "The catalog's Tasks are data that e2e hands to a tool.",
      severity: 'error',
      from: { path: '^packages/(kit|digest-chain|tekton-local|manifests)/src/', pathNot: TESTS },
      to: { path: '^stand-ins/' },
    },
    {
      name: 'no-tests-in-the-source',
      severity: 'error',
      from: { path: '^(packages|apps)/', pathNot: TESTS },
      to: { path: TESTS },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
