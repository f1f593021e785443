import { REGISTRY_HELP } from './registry.ts';

export const HELP: string = `Usage: digest-chain inspect <image> [options]

Shows a chain from any of its images on: the images, what links them, what is
attached to them, what is signed. Proves nothing; that is what verify does.

Options:
${REGISTRY_HELP}
  --json                print it as JSON
  --mermaid             print it as a Mermaid flowchart
  --prefix <prefix>     of the labels (default: io.konflux.poc)
  -h, --help            print this

Examples:
  digest-chain inspect quay.io/org/app:latest
  digest-chain inspect quay.io/org/meta@sha256:… --mermaid > chain.mmd
`;
